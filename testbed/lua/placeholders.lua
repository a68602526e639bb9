-- placeholders: words in braces that a command in a scenario may hold, such as {chain},
-- and what they stand for.

local files = require "files"
local words = require "words"

local placeholders = {}

-- A mistake where `text` holds a word that is none of `known`.
function placeholders.check(who, text, known)
  local there = {}
  for _, name in ipairs(known) do there[name] = true end
  for name in text:gmatch "{(%a+)}" do
    if not there[name] then
      words.mistake("%s: unknown word '{%s}'%s", who, name, words.suggestion(name, known))
    end
  end
end

-- A value as the shell takes it for one word; quotes only where it needs them.
function placeholders.word(value)
  return value:find "^[%w/._:@+,=-]*$" and value or files.quoted(value)
end

-- The command with each word's value in its place.
function placeholders.fill(text, values)
  return (text:gsub("{(%a+)}", function (word) return values[word] and placeholders.word(values[word]) end))
end

return placeholders
