-- expect: the one verb that judges.
--
--   during = T   of the handshakes that begin in the next T, the share holds: also of those that hang
--   throughout = T  time passes by T on the calendar, and whoever tries on the way has the share
--   within = T   before T has passed, there comes a moment from which on the share holds for every
--                class at once, for SETTLED seconds and at least FEWEST handshakes
--
-- No data is a failure; too little data is waited for.  Clients that a busy machine could not send
-- are told, and judge nobody: what is judged is how handshakes end.

local flow = require "flow"
local class = require "class"
local host = require "host"
local throughout = require "throughout"
local words = require "words"

local SETTLED = 0.2
local FEWEST = 3

local expectation = {
  patience = 60, -- seconds for a busy machine to bring FEWEST handshakes to their end
}

local outcomes = words.kind('outcome, or { "ok", wolfssl = "expired" }', function (value)
  if type(value) == "string" or type(value) == "table" then return value end
  return nil, "an outcome, or a table of outcomes by library"
end)

local spec = {
  success = { "share", help = "this share gets in" },
  outcome = { outcomes, help = "or: this is how handshakes end, by library where they differ" },
  share = { "share", default = 1, help = "for this share of them [100%]" },
  during = { "duration", help = "all through this real time, from now on" },
  within = { "duration", help = "or: before this real time has passed [5s]" },
  throughout = { "duration", help = "or: while this time passes on the calendar, as clock:pass has it" },
  by = { "duration", help = "with throughout: steps no longer than this [as often as anybody looks, 1d at most]" },
  left = { "offset", help = "with throughout: what was served never had less left than this" },
  runs_out = { "flag", help = "with throughout: whether what was served ran out before its successor came" },
  rotations = { "count", help = "with throughout: what was served changed at least this often" },
}
expectation.spec = spec

local function known_outcome(play, word)
  if not play.run.outcomes[word] then
    words.mistake("unknown outcome '%s'%s", tostring(word),
      words.suggestion(tostring(word), words.keys(play.run.outcomes)))
  end
  return word
end

-- `outcome = { "expired", wolfssl = "unknown-issuer" }`: by library, then for all.
-- A value may itself be a list: any of them.
local function wanted_by(fleet, given)
  local play = fleet._play
  local function set(value)
    local wanted = {}
    for _, word in ipairs(type(value) == "table" and value or { value }) do
      wanted[known_outcome(play, word)] = true
    end
    return wanted
  end
  if type(given) == "string" then
    local all = set(given)
    return function () return all end
  end
  local all, named = {}, {}
  for key, value in pairs(given) do
    if math.type(key) == "integer" then
      all[known_outcome(play, value)] = true
    else
      named[key] = set(value)
    end
  end
  local known = {}
  for _, library in ipairs(fleet._libraries) do known[library] = true end
  for key in pairs(named) do
    if not known[key] then
      words.mistake("outcome: no clients of '%s' here%s", key, words.suggestion(key, words.keys(known)))
    end
  end
  for _, library in ipairs(fleet._libraries) do
    if not named[library] and next(all) == nil then
      words.mistake("outcome: nothing is said of %s", library)
    end
  end
  return function (library) return named[library] or all end
end

local function describe_outcome(given)
  if type(given) == "string" then return given end
  local parts = {}
  for _, word in ipairs(given) do parts[#parts + 1] = word end
  for _, key in ipairs(words.keys(given)) do
    local value = given[key]
    parts[#parts + 1] = key .. ": " .. (type(value) == "table" and table.concat(value, " or ") or value)
  end
  return table.concat(parts, ", ")
end

local function describe(asked)
  local what = asked.success and ("success %g%%"):format(asked.success * 100)
    or ("%s %g%%"):format(describe_outcome(asked.outcome), asked.share * 100)
  for _, word in ipairs { "during", "throughout", "within" } do
    if asked[word] then return ("%s, %s %s"):format(what, word, host.show_duration(asked[word])) end
  end
end

local function checked(play, given)
  local asked = words.check("expect", spec, given)
  if (asked.success and true or false) == (asked.outcome and true or false) then
    words.mistake "expect: either success or outcome, such as expect { success = \"100%\", during = \"1s\" }"
  end
  local when = (asked.during and 1 or 0) + (asked.within and 1 or 0) + (asked.throughout and 1 or 0)
  if when > 1 then words.mistake "expect: either during or within or throughout, not both" end
  for _, key in ipairs { "by", "left", "rotations", "runs_out" } do
    if asked[key] ~= nil and not asked.throughout then words.mistake("expect: '%s' goes with throughout alone", key) end
  end
  if when == 0 then asked.within = 5.0 end
  if asked.within then asked.within = play:allowing(asked.within) end
  return asked
end

-- One line on how a class ended, in the library's own words where one failed.
local function in_words(who, counts, sum)
  local parts = {}
  for outcome, count in pairs(counts) do parts[#parts + 1] = { outcome, count } end
  table.sort(parts, function (a, b) return a[2] > b[2] end)
  for i, part in ipairs(parts) do
    local sample = who.samples[part[1]]
    local text = ("%s x%d"):format(part[1], part[2])
    if sample and part[1] ~= "ok" then
      text = ("%s: %s [%s]%s%s%s"):format(text, sample.words or "", sample.code or "",
        sample.depth and " at depth " .. sample.depth or "",
        sample.alert_sent and ", sent " .. sample.alert_sent or "",
        sample.alert_received and ", received " .. sample.alert_received or "")
    end
    parts[i] = text
  end
  return sum == 0 and "no handshake ended" or table.concat(parts, "; ")
end

-- --- judging ------------------------------------------------------------------------------------

-- What a class has to show: `of(who)` gives its counts and their sum.
--   met       every class has the share, and enough to tell
--   no_data   some class has too little to tell anything
local function judge(fleet, asked, of)
  local verdict = { met = true, no_data = false, classes = {} }
  for i, who in ipairs(fleet._classes) do
    local counts, sum = of(who)
    local behind = who.skipped > 0 and ("; %d more could not be begun in time"):format(who.skipped) or ""
    verdict.classes[i] = { class = who.name, saw = in_words(who, counts, sum) .. behind }
    if sum < FEWEST then verdict.no_data = true end
    if class.share(counts, sum, asked.wanted(who.library)) < asked.least then verdict.met = false end
  end
  verdict.met = verdict.met and not verdict.no_data and #fleet._classes > 0
  return verdict
end

-- Waits until `done()`, or the patience after `moment`; a class that then has nothing to report since
-- `moment` has a worker that is stuck.
local function wait_for(fleet, moment, done)
  while not done() and flow.now() < moment + expectation.patience do fleet:_next_tick(1) end
  for _, who in ipairs(fleet._classes) do
    if who.heard_until < moment then words.environment("client class %s reports nothing", who.name) end
  end
end

-- Handshakes that begin in the next `seconds`, to the last of them: those that hang belong to it,
-- too, and end in a timeout.
local function stretch(fleet, asked, seconds)
  fleet:_mark()
  local began = flow.now()
  wait_for(fleet, began + seconds, function ()
    for _, who in ipairs(fleet._classes) do
      local _, sum = who:tally(0)
      if who.heard_until < began + seconds or sum < FEWEST then return false end
    end
    return true
  end)
  local closed, marks = flow.now(), fleet:_close()
  wait_for(fleet, closed, function ()
    for i, who in ipairs(fleet._classes) do
      if who.heard_until < closed or not who:has_ended(marks[i]) then return false end
    end
    return true
  end)
  local last = {}
  for i, who in ipairs(fleet._classes) do last[who] = marks[i] end
  return judge(fleet, asked, function (who) return who:tally(0, last[who]) end)
end

-- The last SETTLED seconds that all classes have told of; all since the deadline, where that was before.
local function settled(fleet, asked, deadline)
  local told = math.huge
  for _, who in ipairs(fleet._classes) do told = math.min(told, who.heard_until) end
  local since = math.min(told - SETTLED, deadline)
  return judge(fleet, asked, function (who) return who:latest(since, FEWEST) end), told
end

-- Looks at what has settled until that is as it should be, and then at a stretch, to be sure.
local function within(fleet, asked)
  fleet:_mark()
  local began = flow.now()
  local deadline = began + asked.within
  while true do
    local verdict, told = settled(fleet, asked, deadline)
    if verdict.met then
      local sure = stretch(fleet, asked, SETTLED)
      if sure.met or flow.now() >= deadline then return sure end
    elseif told >= deadline and not verdict.no_data or flow.now() >= deadline + expectation.patience then
      return verdict
    end
    fleet:_next_tick(1)
  end
end

function expectation.of_fleet(fleet, given)
  local play = fleet._play
  local asked = checked(play, given)
  asked.least = asked.success or asked.share
  asked.wanted = wanted_by(fleet, asked.success and "ok" or asked.outcome)
  play:settle()
  fleet._judged = true
  if asked.throughout then play.acted = true end -- time passes
  if play.dry then return play:point(describe(asked), true) end
  local began = flow.now()
  if asked.throughout then
    local met, seen = throughout.judge(fleet, asked)
    seen.took = flow.now() - began
    return play:point(describe(asked), met, seen)
  end
  local verdict = asked.during and stretch(fleet, asked, asked.during) or within(fleet, asked)
  play:point(describe(asked), verdict.met, {
    classes = verdict.classes, no_data = verdict.no_data and not verdict.met, took = flow.now() - began,
  })
end

-- The keys of an expectation on things: { NAME = { kind =, help = } }, and perhaps
--   holds(found, wanted)  whether it is as it should be, where that is not to be the same
--   at_once               true where waiting changes nothing
function expectation.rules_of(things)
  local rules = {}
  for name, thing in pairs(things) do
    rules[name] = { thing.kind, help = thing.help }
    if not thing.at_once then
      rules.within = { "duration", default = 5.0, help = "wait at most this long for it [5s]" }
    end
  end
  return rules
end

local function same(found, want) return found == want end

-- Looks again every 50 ms; that something never happens is known at the end only.
local function comes_true(thing, look, want, patience)
  local deadline, holds = flow.now() + patience, thing.holds or same
  while true do
    local found, why = look()
    local met = holds(found, want)
    local known = thing.at_once or met and want ~= 0
    if known or flow.now() > deadline then return met, { found = tostring(found), why = why } end
    flow.park(0.05)
  end
end

-- An expectation on something that is so or is not: { NAME = value } against what looks[NAME]()
-- finds, before `within` has passed.
function expectation.of_thing(play, who, things, looks, given)
  local asked = words.check("expect", expectation.rules_of(things), given)
  local said = false
  for _, name in ipairs(words.keys(things)) do
    if asked[name] ~= nil then
      said = true
      local text = ("%s: %s is %s"):format(who, name:gsub("_", " "), tostring(asked[name]))
      local met, details = true, nil
      if not play.dry then met, details = comes_true(things[name], looks[name], asked[name],
        play:allowing(asked.within or 0)) end
      play:point(text, met, details)
    end
  end
  if not said then words.mistake("expect: of what? known are %s", table.concat(words.keys(things), ", ")) end
end

return expectation
