-- clocks: what the processes of a play live on.  There is one calendar, play.clock; and there are servers whose own
-- clocks are off.  Those follow the calendar at their distance, wherever it is moved.
--
-- A clock has page, which reads and moves it, and file, by which programs find it; the calendar has its rate, and mono:
-- whether monotonic clocks run as fast; a follower has skew, in seconds.

local host = require "host"

local clocks = {}

-- A clock in this directory, on real time; nil and why.
function clocks.new(dir)
  local file = dir .. "/clock"
  local page, why = host.clock(file)
  if not page then return nil, why end
  return { page = page, file = file, rate = 1, mono = false }
end

-- The same `skew` off the play's calendar from now on.
function clocks.follower(play, dir, skew)
  local clock, why = clocks.new(dir)
  if not clock then return nil, why end
  clock.skew = skew
  clock.page:rate(play.clock.rate, play.clock.mono)
  table.insert(play.followers, clock)
  clocks.follow(play)
  return clock
end

-- All of them run so many times as fast as real time, and with `mono` their monotonic clocks, too.
function clocks.rate(play, rate, mono)
  play.clock.rate, play.clock.mono = rate, mono
  for _, clock in ipairs { play.clock, table.unpack(play.followers) } do clock.page:rate(rate, mono) end
end

-- To be called when the calendar, or a skew, is another.
function clocks.follow(play)
  for _, clock in ipairs(play.followers) do clock.page:follow(play.page, clock.skew) end
end

return clocks
