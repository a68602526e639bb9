-- passage: time that passes, where clock:advance lets it jump.
--
-- The calendar moves in steps no longer than the shortest period at which anybody on the stage looks
-- for himself, and after each step everybody who acts by the calendar has acted: those that run all the
-- time and live by timers (a target that renews by itself) were poked and have settled, which is
-- `fakeclock step`'s business; those that are started by it (a renewal's client) have run to their end.
--
-- Fleets pause meanwhile: a server that is never left alone never settles.

local host = require "host"
local json = require "json"
local words = require "words"

local passage = {}

local LONGEST = 86400 -- a step, where nobody looks more often
local PATIENCE = 60   -- real seconds for one step; it gives itself up before

-- --- one step -----------------------------------------------------------------------------------

-- Targets that live by timers.
local function timed(play)
  local list = {}
  for _, aim in ipairs(play.targets) do
    if aim._adapter.passes then list[#list + 1] = aim end
  end
  return list
end

-- `fakeclock step` as a child, for as long as the play lasts: it remembers what is usual.
local Stepper = {}
Stepper.__index = Stepper

function Stepper:order(text)
  self.child:send(text .. "\n")
  local line = self.child:out(PATIENCE)
  local answer = line and json.decode(line)
  if not answer or answer.error then
    words.environment("fakeclock step: %s", answer and answer.error or line == nil and (self.child:err(1) or "it ended")
      or "it does not answer")
  end
  return answer
end

local function new_stepper(play)
  local child = play:start_process({ play.run.options.programs .. "/fakeclock", "step", play.clock_file, "--serve",
    "--mono" }, { input = true })
  local stepper = setmetatable({ child = child, trees = {} }, Stepper)
  if not child:out(PATIENCE) then words.environment("fakeclock step: %s", child:err(1) or "it says nothing") end
  play:on_close(function () child:finish() end)
  return stepper
end

function Stepper:step(targets, seconds)
  for _, aim in ipairs(targets) do
    local pid = aim._process:pid()
    if not self.trees[pid] then self:order("tree " .. pid) end
    self.trees[pid] = true
  end
  local answer = self:order(("step %dms"):format(math.floor(seconds * 1000)))
  for _, pid in ipairs(answer.gone) do self.trees[pid] = nil end
  return answer
end

local function move(play, targets, seconds)
  if #targets == 0 then return play.page:advance(seconds) end
  play.stepper = play.stepper or new_stepper(play)
  local answer = play.stepper:step(targets, seconds)
  if answer.long or not answer.settled then play:note("step", answer) end
  if not answer.settled then play.run:warn_once "a target did not come to rest after a step of time" end
end

-- --- all of them ----------------------------------------------------------------------------------

-- How long a step may be.
local function step_of(play, targets)
  local step = LONGEST
  for _, actor in ipairs(play.actors) do step = math.min(step, actor.period) end
  for _, aim in ipairs(targets) do step = math.min(step, aim._adapter.passes.by) end
  return step
end

-- Lets `seconds` pass, in steps of `by` or what the play needs; calls `after(now)` after each step.
-- How many steps that took.
function passage.run(play, seconds, by, after)
  local targets, left, steps = timed(play), seconds, 0
  local step = by or step_of(play, targets)
  for _, fleet in ipairs(play.fleets) do fleet:_pause() end
  while left > 0 do
    local length = math.min(step, left)
    move(play, targets, length)
    for _, actor in ipairs(play.actors) do actor.act() end
    left, steps = left - length, steps + 1
    if after then after(play.page:now()) end
  end
  for _, fleet in ipairs(play.fleets) do fleet:_resume() end
  play:note("time passed", { seconds = seconds, steps = steps, by = step })
  return steps
end

function passage.describe(seconds, steps)
  return ("%s pass in %d steps"):format(host.show_duration(seconds), steps)
end

return passage
