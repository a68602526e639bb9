-- The words of the scenario language: what a script's environment holds.

local words = require "words"

local scene = {}

-- { word, how it is written, what it does }: `rehearse words` and the manual are made from this.
scene.words = {
  { "scenario", 'scenario "TITLE"', "names the play; the first word of every file" },
  { "tags", 'tags { "word", key = "value" }',
    "labels for people and listings; what is tagged long is played by name, or with --long" },
  { "timeout", 'timeout "20m"', "it may take so long in real time [2m]; --timeout overrides it" },
  { "ca", "ca { ... }", "a certificate authority of its own: root, intermediates, keys" },
  { "target", 'target { "builtin", "nginx", ... }', "a real server; the kinds it can be, the first by default" },
  { "clients", 'clients { "openssl", "gnutls", "wolfssl", ... }', "a fleet: one class of simulated clients a library" },
  { "renewal", "renewal { ... }", "keeps a target's certificate fresh, as a timer and an ACME client would" },
  { "fetcher", "fetcher { ... }", "keeps a target's revocation lists fresh, as a timer would" },
  { "detector", "detector { ... }", "compares the certificate on disk with the one on the wire, and reloads" },
  { "guard", "guard { ... }", "watches clients, and puts the last good certificate or configuration back" },
  { "clock", 'clock:jump "89d"', "the virtual calendar of everything on the stage" },
  { "steady", 'steady "..."', "heading: what is true before anything is broken" },
  { "inject", 'inject "..."', "heading: the fault" },
  { "recover", 'recover "..."', "heading: the way back" },
  { "note", 'note "..."', "a line for the report" },
}

local function heading(play, section)
  return function (text)
    play:enter(section, words.value(section, "title", text))
  end
end

function scene.vocabulary(play)
  local vocabulary = {
    steady = heading(play, "steady"),
    inject = heading(play, "inject"),
    recover = heading(play, "recover"),
    clock = words.outside(require "calendar".new(play)),
  }
  for _, noun in ipairs { "ca", "target", "clients", "renewal", "fetcher", "detector", "guard" } do
    local make = require(noun).new
    vocabulary[noun] = function (given)
      if not play.title then words.mistake("%s before scenario \"...\"", noun) end
      play.acted = true
      return words.outside(make(play, given))
    end
  end

  function vocabulary.scenario(title)
    if play.title then words.mistake("a second scenario: one file, one scenario") end
    play.title = words.value("scenario", "title", title)
    play.run.tap:begin(play)
    play:note("scenario", { path = play.path, text = play.text, seed = play.run.seed })
  end

  function vocabulary.tags(given)
    if type(given) ~= "table" then words.mistake "tags takes a table: tags { \"word\" }" end
    for _, tag in pairs(given) do words.value("tags", "text", tag) end
    play.tags = given
  end

  function vocabulary.timeout(given)
    play.limit = words.value("timeout", "duration", given)
  end

  function vocabulary.note(text)
    play.run.tap:comment(play, words.value("note", "text", text))
    play:note("note", { text = text })
  end

  return vocabulary
end

return scene
