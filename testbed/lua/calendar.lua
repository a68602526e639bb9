-- clock: the one calendar of a play.  Moving it moves every participant, and
-- every participant proves it.

local host = require "host"
local words = require "words"

local TOLERANCE = 2.0 -- seconds a participant's reading may be off: HTTP dates and caches are whole seconds

local methods = {}
local class = words.class("clock", methods)

local function moved(play, text)
  play:effect(text)
  play.run.tap:comment(play, text .. ": it is now " .. host.show_moment(play.page:now()))
  for _, target in ipairs(play.targets) do target:_prove_clock() end
  for _, fleet in ipairs(play.fleets) do fleet:_prove_clock() end
end

local function open(play)
  if not play.dry then play:open_stage() end
  return not play.dry
end

-- Lets the calendar jump by a duration; backwards where it is negative.
function methods:advance(by)
  local seconds = words.value("clock:advance", "duration", by)
  if not open(self._play) then return end
  self._play.page:advance(seconds)
  moved(self._play, "the calendar advances by " .. by)
end

-- Sets it to a time, or to an offset from the real now.
function methods:set(to)
  words.value("clock:set", "moment", to)
  if not open(self._play) then return end
  self._play.page:set(host.moment(to, os.time()))
  moved(self._play, "the calendar is set to " .. to)
end

function methods:freeze()
  if not open(self._play) then return end
  self._play.page:rate(0)
  moved(self._play, "the calendar stands still")
end

function methods:thaw()
  if not open(self._play) then return end
  self._play.page:rate(1)
  moved(self._play, "the calendar runs again")
end

-- How many virtual seconds pass in a real one.
function methods:rate(times)
  local rate = words.value("clock:rate", "number", times)
  if not open(self._play) then return end
  self._play.page:rate(rate)
  moved(self._play, ("the calendar runs %g times as fast"):format(rate))
end

local calendar = { TOLERANCE = TOLERANCE }

function calendar.new(play)
  return class.new { _play = play }
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
