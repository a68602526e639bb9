-- What a scenario may say, and how a mistake in it is told: file, line, what was
-- expected and the nearest right word.

local host = require "host"

local words = {}

-- Errors that end a play.  `kind` is a key of the status table, or "interrupted".
local Ending = { __tostring = function (self) return self.text end }

function words.ending(kind, text)
  return setmetatable({ kind = kind, text = text }, Ending)
end

function words.is_ending(value)
  return getmetatable(value) == Ending
end

-- Ends the play: the environment could not do it.
function words.environment(format, ...)
  error(words.ending("environment", format:format(...)), 0)
end

-- "FILE:LINE" of the scenario line that runs now; the chunk's name is its path.
local function position(path)
  for level = 2, 60 do
    local info = debug.getinfo(level, "Sl")
    if info == nil then break end
    if info.source == "@" .. path then return path .. ":" .. info.currentline end
  end
  return path
end

-- Where the scenario is now, or nil where none runs.  `path`: the scenario's, for who handles an error in it.
function words.place(path)
  path = path or words.path_of_running and words.path_of_running()
  return path and position(path)
end

-- A line for people about the scenario line that runs now.
function words.here(text, path)
  local place = words.place(path)
  return place and place .. ": " .. text or text
end

-- Ends the play: the scenario says something wrong.
function words.mistake(format, ...)
  local text = select("#", ...) > 0 and format:format(...) or format
  error(words.ending("usage", words.here(text)), 0)
end

local MANY = 20 -- more than this is no help in a line

function words.suggestion(word, candidates)
  candidates = { table.unpack(candidates) }
  table.sort(candidates)
  local near = host.nearest(word, candidates)
  if near then return "; did you mean '" .. near .. "'?" end
  if #candidates > MANY then return "" end
  return "; known are " .. table.concat(candidates, ", ")
end

function words.keys(t)
  local names = {}
  for key in pairs(t) do
    if type(key) == "string" and not key:find "^_" then names[#names + 1] = key end
  end
  table.sort(names)
  return names
end

-- Kinds of value.  Each turns what the scenario wrote into what the code works
-- with, or returns nil and what was expected, or nil, nil and a sentence.
local kinds = {}

function kinds.text(value)
  if type(value) == "string" and not value:find "%c" then return value end
  return nil, "text in quotes, on one line"
end

-- What is read by people, and found again by it.
function kinds.title(value)
  if kinds.text(value) and value:find "%S" then return value end
  return nil, "text in quotes, on one line and not empty"
end

function kinds.flag(value)
  if type(value) == "boolean" then return value end
  return nil, "true or false"
end

function kinds.number(value)
  if type(value) == "number" and value > 0 then return value end
  return nil, "a positive number"
end

function kinds.count(value)
  if math.type(value) == "integer" and value >= 0 then return value end
  return nil, "a whole number"
end

-- A time from here, forward or backward.
function kinds.offset(value)
  if type(value) ~= "string" then return nil, "a duration in quotes, such as \"90d\"" end
  local seconds, why = host.duration(value)
  return seconds, nil, why
end

-- How long something lasts.
function kinds.duration(value)
  local seconds, expected, why = kinds.offset(value)
  if seconds and seconds <= 0 then return nil, "a duration above 0, such as \"30d\"" end
  return seconds, expected, why
end

-- A share that can fail.
function kinds.share(value)
  local share = kinds.percent(value)
  if share and share > 0 then return share end
  return nil, "a share in quotes, above \"0%\" and to \"100%\""
end

function kinds.percent(value)
  local number = type(value) == "string" and tonumber(value:match "^(%d+%.?%d*)%%$")
  if number and number <= 100 then return number / 100 end
  return nil, "a share in quotes, from \"0%\" to \"100%\""
end

-- A duration that is handed on as it was written.
function kinds.span(value)
  local seconds, expected, why = kinds.duration(value)
  return seconds and value, expected, why
end

function kinds.rate(value)
  local number = type(value) == "string" and tonumber(value:match "^(%d+%.?%d*)/s$")
  if number and number > 0 then return value end
  return nil, "handshakes a second in quotes, such as \"60/s\""
end

function kinds.moment(value)
  if type(value) ~= "string" then return nil, "a time in quotes, such as \"2027-03-01T00:00:00Z\"" end
  local seconds, why = host.moment(value, 0)
  return seconds and value, nil, why
end

-- A DNS name or an IP address, as a certificate can hold it.
function kinds.name(value)
  local found = type(value) == "string" and value:find "^[%w*:][%w.:*-]*$" and not value:find("..", 1, true)
  if found then return value end
  return nil, "a DNS name or an IP address in quotes"
end

function kinds.url(value)
  if type(value) == "string" and value:find "^https?://[^%s%c\"<>]+$" then return value end
  return nil, "a URL in quotes, such as \"https://status.test/\""
end

function kinds.version(value)
  local known = { ["1.0"] = true, ["1.1"] = true, ["1.2"] = true, ["1.3"] = true }
  if known[value] then return value end
  return nil, "a TLS version: \"1.0\", \"1.1\", \"1.2\" or \"1.3\""
end

function kinds.names(value)
  local list = type(value) == "table" and value or { value }
  for _, item in ipairs(list) do
    if not kinds.name(item) then return nil, "a DNS name or an IP address in quotes, or a list of them" end
  end
  return #list > 0 and list or nil, "a name"
end

-- "a target"; clients are many.
function words.article(noun)
  return noun == "clients" and noun or (noun:find "^[aeiou]" and "an " or "a ") .. noun
end

-- What a kind of value is called, for the reference.
local described = setmetatable({}, { __mode = "k" })

function words.describe(rule)
  local kind = type(rule) == "table" and rule[1] or rule
  if type(kind) ~= "string" then return described[kind] or "any" end
  return ({ span = "duration", offset = "duration, or one back, such as \"-5m\"", flag = "true or false",
    names = "name, or a list", count = "whole number",
    percent = "share, such as \"10%\"", share = "share, such as \"100%\"",
    rate = "rate, such as \"20/s\"" })[kind] or kind
end

-- A kind of value that only one place knows.
function words.kind(description, turn)
  described[turn] = description
  return turn
end

-- One of a closed set of words.
function words.one_of(choices)
  local list, quoted = {}, {}
  for i, choice in ipairs(choices) do list[choice], quoted[i] = true, '"' .. choice .. '"' end
  return words.kind(table.concat(choices, ", "), function (value)
    if list[value] then return value end
    local near = type(value) == "string" and host.nearest(value, choices)
    return nil, "one of " .. table.concat(quoted, ", ") .. (near and "; did you mean \"" .. near .. "\"?" or "")
  end)
end

-- An object of ours, known by its `noun`; the spec says `words.noun "ca"`.
function words.noun(...)
  local accepted = { ... }
  local named = {}
  for i, noun in ipairs(accepted) do named[i] = words.article(noun) end
  local expected = table.concat(named, " or ")
  return words.kind(expected, function (value)
    local object = words.inside(value)
    for _, noun in ipairs(accepted) do
      if type(object) == "table" and rawget(object, "noun") == noun then return object end
    end
    return nil, expected
  end)
end

local function show(value)
  if type(value) == "string" then return '"' .. value .. '"' end
  if type(value) ~= "table" then return tostring(value) end
  local noun = rawget(words.inside(value), "noun")
  return noun and words.article(noun) or "a table"
end

local function convert(who, key, rule, value)
  local kind = type(rule) == "table" and rule[1] or rule
  local turn = type(kind) == "function" and kind or kinds[kind]
  local result, expected, sentence = turn(value)
  if result ~= nil then return result end
  local what = key and ("%s: '%s'"):format(who, key) or who
  if sentence then words.mistake("%s: %s", what, sentence) end
  words.mistake(key and "%s is %s; expected %s" or "%s: got %s; expected %s", what, show(value), expected)
end

-- Checks the table a verb or noun was called with against its spec,
--     { key = kind | { kind, required = true, default = value }, ... }
-- and returns a new table with every value converted.  Entries without a key are
-- checked against spec[1], or refused.
function words.check(who, spec, given)
  if type(given) ~= "table" then
    words.mistake("%s takes a table: %s { ... }, not %s", who, who, show(given))
  end
  local result = {}
  for key, value in pairs(given) do
    if math.type(key) == "integer" then
      if spec[1] == nil then words.mistake("%s: %s has no key; known are %s", who, show(value),
        table.concat(words.keys(spec), ", ")) end
      result[key] = convert(who, "entry " .. key, spec[1], value)
    elseif spec[key] == nil then
      words.mistake("%s: unknown key '%s'%s", who, tostring(key),
        words.suggestion(tostring(key), words.keys(spec)))
    else
      result[key] = convert(who, key, spec[key], value)
    end
  end
  for key, rule in pairs(spec) do
    if type(rule) == "table" and result[key] == nil then
      if rule.required then words.mistake("%s: '%s' is missing", who, key) end
      result[key] = rule.default
    end
  end
  return result
end

-- One value a method was called with.
function words.value(who, kind, given)
  return convert(who, nil, { kind }, given)
end

-- --- objects ------------------------------------------------------------------------------------
--
-- A scenario never holds an object of ours, only its outside: an empty table that knows the object's
-- acts and nothing else.  Acts get the object itself, and so do the values that are checked against
-- words.noun; what an act returns goes out again.

local insides = setmetatable({}, { __mode = "k" }) -- outside -> object

-- What a scenario may hold of a value.
function words.outside(value)
  return type(value) == "table" and rawget(value, "_outside") or value
end

-- The object behind what a scenario holds, or the value itself.
function words.inside(value)
  return insides[value] or value
end

local function act_of(name, method)
  return function (outside, ...)
    local object = insides[outside]
    if object == nil then words.mistake "an act needs its actor: write a colon, as in shop:reload()" end
    if object._play and name ~= "expect" then object._play.acted = true end
    return words.outside(method(object, ...))
  end
end

-- A class of objects; `methods` whose names begin with _ are ours alone.  class.new(fields) makes an
-- object of the table it is given.
function words.class(noun, methods)
  local inner, acts = { __index = methods }, {}
  local outer = { __metatable = false }
  function outer.__index(_, key)
    local method = type(key) == "string" and not key:find "^_" and methods[key]
    if not method then
      words.mistake("%s has no '%s'%s", words.article(noun), tostring(key),
        words.suggestion(tostring(key), words.keys(methods)))
    end
    acts[key] = acts[key] or act_of(key, method)
    return acts[key]
  end
  function outer.__newindex(_, key)
    words.mistake("'%s' of %s cannot be assigned", tostring(key), words.article(noun))
  end
  local class = {}
  function class.new(fields)
    fields.noun = noun
    fields._outside = setmetatable({}, outer)
    insides[fields._outside] = fields
    return setmetatable(fields, inner)
  end
  return class
end

return words
