-- guard: watches the clients of a target, and puts back what it was last known to
-- be well with when too many of them fail.  One bad look is bad luck; more than
-- `forgives` in a row is a reason to act.

local flow = require "flow"
local class = require "class"
local expectation = require "expectation"
local words = require "words"

local guard = {}
local methods = {}
local guard_class = words.class("guard", methods)

local spec = {
  of = { words.noun "target", required = true, help = "what it rolls back" },
  through = { words.noun "clients", required = true, help = "whose failures it goes by" },
  every = { "duration", default = 0.3, help = "look this often, in real time [300ms]" },
  forgives = { "count", default = 1, help = "bad looks in a row that are no reason to act [1]" },
  tolerates = { "percent", default = 0.1, help = "share of a class that may fail in a good look [10%]" },
}

-- "well", "ill" or nil where nothing was seen since `since`.  Ill is a fleet in which any class
-- fails more than it may: a class that is shut out is no average.
local function look(settings, since)
  local seen, ill = 0, false
  for _, who in ipairs(settings.through._classes) do
    local counts, sum = who:tally(since)
    seen = seen + sum
    if sum > 0 and 1 - class.share(counts, sum, { ok = true }) > settings.tolerates then ill = true end
  end
  if seen == 0 then return nil end
  return ill and "ill" or "well"
end

local function act(self)
  local play, shop = self._play, self._settings.of
  rawset(self, "_count", self._count + 1)
  play:phase("detected")
  play:note("guard acts", { target = shop._name })
  local result = shop:rollback()
  play:phase("rolled back")
  play.run.tap:comment(play, "guard: rolled back to certificate " .. shop:_chain()._facts.serial
    .. " and its configuration; reload " .. result)
end

-- What is installed counts as good once clients were well with it for more looks in a row than
-- would be forgiven if they were bad: right after a graceful reload the old workers still answer,
-- and what they serve says nothing of the new.
local function watch(self)
  local settings, bad, good = self._settings, 0, 0
  while true do
    local since = flow.now()
    flow.park(settings.every)
    local state = self._running and look(settings, since)
    if state == "well" then
      bad, good = 0, since >= settings.of._changed_at and good + 1 or 0
      local serves_it = settings.of._last_reload.result ~= "refused"
      if good > settings.forgives + 1 and serves_it then settings.of:_is_good() end
    elseif state == "ill" then
      bad, good = bad + 1, 0
      if bad > settings.forgives then
        act(self)
        bad = 0
      end
    end
  end
end

function guard.new(play, given)
  local settings = words.check("guard", spec, given)
  local self = guard_class.new { _play = play, _settings = settings, _running = true, _count = 0 }
  if not play.dry then play:spawn_flow(function () watch(self) end) end
  return self
end

function methods:stop()
  rawset(self, "_running", false)
end

function methods:start()
  rawset(self, "_running", true)
end

local things = { tripped = { kind = "count", help = "how often it acted" } }

function methods:expect(given)
  expectation.of_thing(self._play, "guard", things, { tripped = function () return self._count end }, given)
end

guard.reference = {
  { noun = "guard", written = "guard { ... }", keys = spec, verbs = {
    { "stop", "guard:stop()", "it looks away" },
    { "start", "guard:start()", "it looks again" },
    { "expect", "guard:expect { tripped = 1 }", "judges", expectation.rules_of(things) },
  }, methods = methods },
}

return guard
