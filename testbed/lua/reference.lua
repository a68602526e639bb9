-- The manual of the scenario language, made from the tables that check scenarios.

local scene = require "scene"
local target = require "target"
local words = require "words"

local reference = {}

local MODULES = { "ca", "target", "clients", "renewal", "fetcher", "detector", "guard", "calendar" }

-- Every noun's entry, in the order in which a scenario meets them.
function reference.nouns()
  local list = {}
  for _, name in ipairs(MODULES) do
    for _, entry in ipairs(require(name).reference) do list[#list + 1] = entry end
  end
  return list
end

local function keys(print_line, spec)
  for _, key in ipairs(words.keys(spec)) do
    local rule = spec[key]
    print_line(key, words.describe(rule), rule.help, rule.required)
  end
end

local function markdown_keys(out, title, spec)
  out(("\n%s\n\n| key | value | meaning |\n| --- | --- | --- |"):format(title))
  keys(function (key, kind, help, required)
    out(("| `%s` | %s | %s%s |"):format(key, kind, help, required and "; required" or ""))
  end, spec)
end

-- The whole manual as Markdown, line by line to `out`.
function reference.markdown(out)
  out "# The scenario language\n"
  out "<!-- Made by `rehearse words --markdown` from the tables that check scenarios. -->\n"
  out "A scenario declares its cast once, then goes on under headings. Durations have units (`90d`, `1h30m`, `200ms`)."
  out "`clock` moves the calendar; `during`, `within` and `every` are real time.\n"
  out "| word | meaning |\n| --- | --- |"
  for _, word in ipairs(scene.words) do out(("| `%s` | %s |"):format(word[2], word[3])) end
  for _, entry in ipairs(reference.nouns()) do
    out("\n## " .. entry.noun)
    if entry.keys then markdown_keys(out, "`" .. entry.written .. "` takes", entry.keys) end
    if entry.noun == "target" then
      for _, kind in ipairs(target.kinds) do
        local adapter = target.adapter(kind)
        out(("\n`target { \"%s\", ... }`: %s."):format(kind, adapter.summary))
        if adapter.extra then markdown_keys(out, "It also takes", adapter.extra) end
      end
    end
    out "\n| act | meaning |\n| --- | --- |"
    for _, verb in ipairs(entry.verbs) do out(("| `%s` | %s |"):format(verb[2], verb[3])) end
    for _, verb in ipairs(entry.verbs) do
      if verb[4] then markdown_keys(out, "`" .. verb[2] .. "` takes", verb[4]) end
    end
  end
end

-- The same for a terminal.
function reference.text(out)
  local function row(left, right) out(("  %-46s %s"):format(left, right)) end
  for _, word in ipairs(scene.words) do row(word[2], word[3]) end
  for _, entry in ipairs(reference.nouns()) do
    out("\n" .. entry.written)
    if entry.keys then
      keys(function (key, kind, help) row(("%s = %s"):format(key, kind), help) end, entry.keys)
    end
    for _, verb in ipairs(entry.verbs) do
      row(verb[2], verb[3])
      if verb[4] then
        keys(function (key, kind, help) row(("    %s = %s"):format(key, kind), help) end, verb[4])
      end
    end
  end
end

return reference
