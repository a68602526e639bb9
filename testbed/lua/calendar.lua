-- clock: the one calendar of a play.  Moving it moves every participant, and
-- every participant proves it.
--
-- It moves in three ways, and scenarios say which they mean:
--
--   jump      the wall clock is set, under everybody's feet; who counts monotonic seconds knows nothing of it
--   suspend   the same after a sleep: nobody did anything meanwhile, and nobody came
--   pass      everybody lives through all of it: passage.lua

local clocks = require "clocks"
local flow = require "flow"
local host = require "host"
local passage = require "passage"
local words = require "words"

local TOLERANCE = 2.0 -- seconds a participant's reading may be off: HTTP dates and caches are whole seconds

local calendar = {}

local methods = {}
local class = words.class("clock", methods)

local pass_spec = {
  "offset",
  by = { "duration", help = "steps no longer than this [as often as anybody looks, 1d at most]" },
}

local mono = { "flag", default = false, help = "also for monotonic clocks, by which timers go [false]" }

local rate_spec = {
  words.kind("rate", function (value)
    if type(value) == "number" and value > 0 and value <= host.FASTEST then return value end
    return nil, ("a number above 0, %d at most"):format(host.FASTEST)
  end),
  mono = mono,
}

local freeze_spec = { mono = mono }

-- What goes by one value, and perhaps more by name: the value, and all of it.
local function measure(who, spec, given, question)
  local settings = words.check(who, spec, type(given) == "table" and given or { given })
  if #settings ~= 1 then words.mistake("%s: %s", who, question) end
  return settings[1], settings
end

-- Moves the calendar, and lets every participant prove that it moved with it.
local function move(self, text, how)
  local play = self._play
  if play.dry then return end
  play:open_stage()
  play:effect(text, flow.now())
  how(play.page)
  clocks.follow(play)
  play.run.tap:comment(play, text .. ": it is now " .. host.show_moment(play.page:now()))
  calendar.prove_all(play)
end

-- Lets the calendar jump by a duration; backwards where it is negative.
function methods:jump(by)
  local seconds = words.value("clock:jump", "offset", by)
  move(self, "the calendar jumps by " .. by, function (page) page:advance(seconds) end)
end

methods.advance = methods.jump -- what it was called at first

-- Everything sleeps: no client comes, no timer fires, no cron runs; then the wall clock is later, and
-- monotonic clocks are not: Linux' CLOCK_MONOTONIC does not count the time for which a machine is suspended.  Nobody
-- has to be stopped for it: the calendar moves in one store, so that nobody can do anything in between, as
-- nobody can on a machine that sleeps.
function methods:suspend(by)
  local seconds = words.value("clock:suspend", "duration", by)
  local play = self._play
  move(self, "everything is suspended for " .. by, function (page)
    passage.hold(play, function () page:advance(seconds) end)
  end)
end

-- Sets it to a time, or to an offset from the real now.
function methods:set(to)
  words.value("clock:set", "moment", to)
  move(self, "the calendar is set to " .. to, function (page) page:set(host.moment(to, os.time())) end)
end

local function run(self, text, rate, with_mono)
  local all = with_mono and text .. ", and monotonic clocks with it" or text
  move(self, all, function () clocks.rate(self._play, rate, with_mono) end)
end

function methods:freeze(given)
  run(self, "the calendar stands still", 0, words.check("clock:freeze", freeze_spec, given or {}).mono)
end

function methods:thaw()
  run(self, "the calendar runs again", 1, false)
end

-- How many virtual seconds pass in a real one: 1000, or { 1000, mono = true }.
function methods:rate(given)
  local rate, settings = measure("clock:rate", rate_spec, given, "how fast? expected a number, such as 1000")
  run(self, ("the calendar runs %g times as fast"):format(rate), rate, settings.mono)
end

-- Lets time pass: "365d", or { "365d", by = "6h" }.
function methods:pass(given)
  local seconds, settings = measure("clock:pass", pass_spec, given, "how long? expected a duration, such as \"30d\"")
  if seconds <= 0 then words.mistake "clock:pass: time does not pass backwards; expected clock:jump for that" end
  local play = self._play
  if play.dry then return end
  play:open_stage()
  local began = flow.now()
  local text = passage.describe(passage.run(play, seconds, settings.by))
  play:effect(text, began)
  play.run.tap:comment(play, text .. ": it is now " .. host.show_moment(play.page:now()))
  calendar.prove_all(play)
end

calendar.reference = {
  { noun = "clock", written = "clock", verbs = {
    { "jump", 'clock:jump "89d"', "the calendar jumps by a duration, backwards where it is negative" },
    { "suspend", 'clock:suspend "30d"', "a fault: all sleep, and wake up when their wall clocks have moved so far; "
      .. "their monotonic ones have not" },
    { "pass", 'clock:pass "30d"', "time passes: in steps, in each of which everybody acts who lives by the calendar",
      pass_spec },
    { "advance", 'clock:advance "89d"', "the older word for clock:jump" },
    { "set", 'clock:set "2027-03-01T00:00:00Z"', "to a time, or to an offset from the real now" },
    { "freeze", "clock:freeze()", "it stands still; clock:freeze { mono = true } with it whoever waits by a timer",
      freeze_spec },
    { "thaw", "clock:thaw()", "it runs again, as fast as real time" },
    { "rate", "clock:rate(1000)", "virtual seconds in a real one; clock:rate { 1000, mono = true } for timers, too",
      rate_spec },
  }, methods = methods },
}

function calendar.new(play)
  return class.new { _play = play }
end

-- Every participant proves it.
function calendar.prove_all(play)
  for _, target in ipairs(play.targets) do target:_prove_clock() end
  for _, fleet in ipairs(play.fleets) do fleet:_prove_clock() end
end

-- `reading` was taken between the calendar's `before` and `after`: an injection that did not take
-- effect is an error, not a pass.
function calendar.prove(play, who, before, reading, after)
  play:note("clock read back", { who = who, reads = reading, calendar = after })
  if reading >= before - TOLERANCE and reading <= after + TOLERANCE then return end
  words.environment("%s does not live on the calendar: it reads %s, the calendar says %s", who,
    host.show_moment(reading), host.show_moment(after))
end

return calendar
