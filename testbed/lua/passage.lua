-- passage: time that passes, where clock:advance lets it jump.
--
-- The calendar moves in steps no longer than the shortest period at which anybody on the stage looks
-- for himself, and after each step everybody who acts by the calendar has acted: those who are started
-- by it (a renewal's client) have run to their end, and those that run all the time (a target that
-- renews by itself) have settled.

local host = require "host"

local passage = {}

local LONGEST = 86400 -- a step, where nobody looks more often

-- How long a step may be.
local function step_of(play)
  local step = LONGEST
  for _, actor in ipairs(play.actors) do step = math.min(step, actor.period) end
  return step
end

-- Lets `seconds` pass, in steps of `by` or what the play needs; calls `after(now)` after each step.
-- How many steps that took.
function passage.run(play, seconds, by, after)
  local left, steps = seconds, 0
  local step = by or step_of(play)
  while left > 0 do
    local length = math.min(step, left)
    play.mover(length)
    for _, actor in ipairs(play.actors) do actor.act() end
    left, steps = left - length, steps + 1
    if after then after(play.page:now()) end
  end
  play:note("time passed", { seconds = seconds, steps = steps, by = step })
  return steps
end

function passage.describe(seconds, steps)
  return ("%s pass in %d steps"):format(host.show_duration(seconds), steps)
end

return passage
