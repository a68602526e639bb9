-- The manual says all that a scenario can say, and nothing else.
local reference = require "reference"
local scene = require "scene"
local words = require "words"

local function public(methods)
  return words.keys(methods) -- those of ours begin with _
end

for _, entry in ipairs(reference.nouns()) do
  local documented = {}
  for _, verb in ipairs(entry.verbs) do documented[#documented + 1] = verb[1] end
  table.sort(documented)
  is(documented, public(entry.methods), "every act of a " .. entry.noun .. " is in the manual")
  for key, rule in pairs(entry.keys or {}) do
    if type(key) == "string" then
      is(type(rule) == "table" and rule.help ~= nil, true, ("%s: %s has its line"):format(entry.noun, key))
    end
  end
end

local play = { run = { tap = {} } }
local spoken, documented = words.keys(scene.vocabulary(play)), {}
for _, word in ipairs(scene.words) do documented[#documented + 1] = word[1] end
table.sort(documented)
is(documented, spoken, "every word of the language is in the manual")
