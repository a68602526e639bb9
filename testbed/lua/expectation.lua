-- expect: the one verb that judges.
--
--   during = T   over the next T, of the handshakes that begin from now on, the share holds
--   within = T   before T has passed, there comes a moment at which the share holds for every
--                class at once, over the last SETTLED seconds and at least FEWEST handshakes
--
-- No data is a failure; too little data is waited for.

local flow = require "flow"
local class = require "class"
local host = require "host"
local words = require "words"

local SETTLED = 0.2
local FEWEST = 3
local PATIENCE = 10 -- seconds for a busy machine to bring FEWEST handshakes to their end

local expectation = {}

local outcomes = words.kind('outcome, or { "ok", wolfssl = "expired" }', function (value)
  if type(value) == "string" or type(value) == "table" then return value end
  return nil, "an outcome, or a table of outcomes by library"
end)

local spec = {
  success = { "percent", help = "this share gets in" },
  outcome = { outcomes, help = "or: this is how handshakes end, by library where they differ" },
  share = { "percent", default = 1, help = "for this share of them [100%]" },
  during = { "duration", help = "all through this real time, from now on" },
  within = { "duration", help = "or: before this real time has passed [5s]" },
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
  local when = asked.during and "during " .. host.show_duration(asked.during)
    or "within " .. host.show_duration(asked.within)
  return what .. ", " .. when
end

local function checked(given)
  local asked = words.check("expect", spec, given)
  if (asked.success and true or false) == (asked.outcome and true or false) then
    words.mistake "expect: either success or outcome, such as expect { success = \"100%\", during = \"1s\" }"
  end
  if asked.during and asked.within then words.mistake "expect: either during or within, not both" end
  if not asked.during and not asked.within then asked.within = 5.0 end
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

-- The verdict over ticks that ended after `since`: met, the words by class, whether data is missing.
local function judge(fleet, wanted, share, since)
  local met, details, no_data = true, {}, false
  for _, who in ipairs(fleet._classes) do
    local counts, sum = who:tally(since)
    details[#details + 1] = { class = who.name, saw = in_words(who, counts, sum) }
    if sum == 0 then no_data = true end
    if sum < FEWEST or class.share(counts, sum, wanted(who.library)) < share then met = false end
  end
  return met and not no_data, details, no_data
end

local function heard_enough(fleet, began, moment)
  for _, who in ipairs(fleet._classes) do
    local _, sum = who:tally(began)
    if who.heard_until < moment or sum < FEWEST then return false end
  end
  return true
end

local function during(fleet, wanted, share, asked, began)
  local moment = began + asked.during
  while not heard_enough(fleet, began, moment) and flow.now() < moment + PATIENCE do fleet:_next_tick(1) end
  return judge(fleet, wanted, share, began)
end

local function within(fleet, wanted, share, asked, began)
  local deadline = began + asked.within
  while true do
    local now = flow.now()
    local met, details, no_data = judge(fleet, wanted, share, math.max(began, now - SETTLED))
    if met then return met, details, no_data end
    if now >= deadline then
      local _, all, nothing = judge(fleet, wanted, share, began)
      return false, no_data and all or details, nothing
    end
    fleet:_next_tick(deadline - now)
  end
end

function expectation.of_fleet(fleet, given)
  local play = fleet._play
  local asked = checked(given)
  local share = asked.success or asked.share
  local wanted = wanted_by(fleet, asked.success and "ok" or asked.outcome)
  if play.dry then return play:point(describe(asked), true) end
  fleet:_mark()
  local began = flow.now()
  local way = asked.during and during or within
  local met, details, no_data = way(fleet, wanted, share, asked, began)
  play:point(describe(asked), met, {
    classes = details, no_data = no_data and not met, took = flow.now() - began,
  })
end

-- The keys of an expectation on things: { NAME = { kind =, help = } }.
function expectation.rules_of(things)
  local rules = { within = { "duration", default = 5.0, help = "wait at most this long for it [5s]" } }
  for name, thing in pairs(things) do rules[name] = { thing.kind, help = thing.help } end
  return rules
end

-- An expectation on something that is so or is not: { NAME = value } against what looks[NAME]()
-- finds, looking again every 50 ms until it fits or `within` has passed.
function expectation.of_thing(play, who, things, looks, given)
  local asked = words.check("expect", expectation.rules_of(things), given)
  local known, said = words.keys(things), false
  for _, name in ipairs(known) do said = said or asked[name] ~= nil end
  if not said then words.mistake("expect: of what? known are %s", table.concat(known, ", ")) end
  for _, name in ipairs(words.keys(things)) do
    local want = asked[name]
    if want ~= nil then
      local text = ("%s: %s is %s"):format(who, name:gsub("_", " "), tostring(want))
      if play.dry then
        play:point(text, true)
      else
        local deadline = flow.now() + asked.within
        local found, why
        repeat
          found, why = looks[name]()
          if found ~= want then flow.park(0.05) end
        until found == want or flow.now() > deadline
        play:point(text, found == want, { found = tostring(found), why = why })
      end
    end
  end
end

return expectation
