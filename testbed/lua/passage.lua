-- passage: time that passes, where clock:jump lets it jump.
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

local function new_stepper(play, clock)
  local child = play:start_process({ play.run.options.programs .. "/fakeclock", "step", clock.file, "--serve",
    "--mono" }, { input = true })
  local stepper = setmetatable({ child = child, trees = {}, authorities = play.authorities }, Stepper)
  if not child:out(PATIENCE) then words.environment("fakeclock step: %s", child:err(1) or "it says nothing") end
  play:on_close(function () child:finish() end)
  return stepper
end

function Stepper:know(process, how)
  local pid = process:pid()
  if not self.trees[pid] then self:order(how .. " " .. pid) end
  self.trees[pid] = true
end

-- Whoever waits for the answer of an authority has not settled.
function Stepper:step(targets, seconds)
  for _, aim in ipairs(targets) do self:know(aim._process, "tree") end
  for _, process in ipairs(self.authorities) do self:know(process, "watch") end
  local answer = self:order(("step %dms"):format(math.floor(seconds * 1000)))
  for _, pid in ipairs(answer.gone) do self.trees[pid] = nil end
  return answer
end

-- Moves one clock; whether all came to rest that live on it.
local function step_clock(play, clock, targets, seconds)
  clock.stepper = clock.stepper or new_stepper(play, clock)
  local answer = clock.stepper:step(targets, seconds)
  if answer.long or not answer.settled then play:note("step", answer) end
  return answer.settled
end

local function living_on(clock, targets)
  local list = {}
  for _, aim in ipairs(targets) do
    if aim._clock == clock then list[#list + 1] = aim end
  end
  return list
end

-- Whether all came to rest after it.  The calendar is first: a server whose clock is off by nothing must not be ahead
-- of its authority.
local function move(play, targets, seconds)
  local settled = true
  for _, clock in ipairs { play.clock, table.unpack(play.followers) } do
    local its = living_on(clock, targets)
    if #its > 0 then
      settled = step_clock(play, clock, its, seconds) and settled
    else
      clock.page:advance(seconds)
    end
  end
  return settled
end

-- --- all of them ----------------------------------------------------------------------------------

-- Those who act by the calendar, and were not stopped.
local function awake(play)
  local list = {}
  for _, actor in ipairs(play.actors) do
    if not (actor.rests and actor.rests()) then list[#list + 1] = actor end
  end
  return list
end

-- How long a step may be: a scenario can ask for shorter ones, never for such in which somebody does not act.
local function step_of(play, targets, by)
  local step = math.min(by or LONGEST, LONGEST)
  for _, actor in ipairs(awake(play)) do step = math.min(step, actor.period) end
  for _, aim in ipairs(targets) do step = math.min(step, aim._adapter.passes.by) end
  return step
end

-- How often each actor came to each result, to be taken from what it is later.
local function tallies(play)
  local list = {}
  for i, actor in ipairs(play.actors) do
    list[i] = {}
    for result, count in pairs(actor.tally or {}) do list[i][result] = count end
  end
  return list
end

-- "lego: 11 renewed, 353 not due, 1 failed" for each actor that did anything since.
local function deeds(play, before)
  local said = {}
  for i, actor in ipairs(play.actors) do
    local parts = {}
    for _, result in ipairs(words.keys(actor.tally or {})) do
      local count = actor.tally[result] - (before[i] and before[i][result] or 0)
      if count > 0 then parts[#parts + 1] = ("%d %s"):format(count, result) end
    end
    if #parts > 0 then said[#said + 1] = ("%s: %s"):format(actor.name, table.concat(parts, ", ")) end
  end
  return #said > 0 and table.concat(said, "; ") or nil
end

-- Nobody comes while `act` runs.
function passage.hold(play, act)
  for _, fleet in ipairs(play.fleets) do fleet:_pause() end
  act()
  for _, fleet in ipairs(play.fleets) do fleet:_resume() end
end

-- Lets `seconds` pass, in steps of at most `by` and of what the play needs; calls `after(now)` after each
-- step.  What came of it: seconds, steps, unsettled (steps after which a target did not come to rest) and deeds.
function passage.run(play, seconds, by, after)
  local targets, left = timed(play), seconds
  local step, before = step_of(play, targets, by), tallies(play)
  local passed = { seconds = seconds, steps = 0, unsettled = 0, by = step }
  passage.hold(play, function ()
    while left > 0 do
      local length = math.min(step, left)
      if not move(play, targets, length) then passed.unsettled = passed.unsettled + 1 end
      for _, actor in ipairs(awake(play)) do actor.act() end
      left, passed.steps = left - length, passed.steps + 1
      if after then after(play.page:now()) end
    end
  end)
  passed.deeds = deeds(play, before)
  play:note("time passed", passed)
  return passed
end

function passage.describe(passed)
  local restless = passed.unsettled > 0
    and ("; after %d of them a target did not come to rest"):format(passed.unsettled) or ""
  return ("%s pass in %d step%s%s"):format(host.show_duration(passed.seconds), passed.steps,
    passed.steps == 1 and "" or "s", restless)
end

return passage
