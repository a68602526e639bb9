-- guard: watches the clients of a target, and puts back the last certificate and
-- configuration with which they were well when too many of them fail.  One bad look is bad luck;
-- more than `forgives` in a row is a reason to act.

local class = require "class"
local flow = require "flow"
local routine = require "routine"
local target = require "target"
local words = require "words"

local spec = {
  of = { words.noun "target", required = true, help = "what it rolls back" },
  through = { words.noun "clients", required = true, help = "whose failures it goes by" },
  every = { "duration", default = 0.3, help = "look this often, in real time [300ms]" },
  forgives = { "count", default = 1, help = "bad looks in a row that are no reason to act [1]" },
  tolerates = { "percent", default = 0.1, help = "share of a class that may fail in a good look [10%]" },
}

-- "well", "ill", or nil where nothing can be told.  Ill is a fleet in which any class fails more than
-- it may: a class that is shut out is no average.  Well is one of which every class was seen.
local function health(settings, since)
  local silent = false
  for _, who in ipairs(settings.through._classes) do
    local counts, sum = who:tally(since)
    if sum == 0 then silent = true end
    if sum > 0 and 1 - class.share(counts, sum, { ok = true }) > settings.tolerates then return "ill" end
  end
  return not silent and "well" or nil
end

local function act(self)
  local play, shop = self._play, self._settings.of
  self:_acted()
  play:phase("detected")
  play:note("guard acts", { target = shop._name })
  local result = shop:_rollback()
  play:phase("rolled back")
  play.run.tap:comment(play, "guard: rolled back to certificate " .. shop._installed._facts.serial
    .. " and its configuration; reload " .. result)
end

-- What is installed counts as good once clients were well with it for two looks longer than the
-- guard would forgive if they were not: right after a graceful reload the old workers still answer,
-- and what they serve says nothing of the new.
local function well(self, since)
  local memory, shop = self._memory, self._settings.of
  memory.bad = 0
  memory.good = since >= shop._changed_at and (memory.good or 0) + 1 or 0
  local serves_it = shop._last_reload.result ~= "refused"
  if memory.good >= self._settings.forgives + 2 and serves_it then shop:_is_good() end
end

local function ill(self)
  local memory = self._memory
  memory.good, memory.bad = 0, (memory.bad or 0) + 1
  if memory.bad > self._settings.forgives then
    memory.bad = 0
    act(self)
  end
end

local things, looks = routine.tripped "how often it acted"

return routine.define("guard", {
  spec = spec,
  things = things,
  looks = looks,
  check = function (settings)
    target.given(settings.of, "guard")
    settings.through._judged = true
  end,
  look = function (self)
    local since = self._memory.looked or flow.now()
    self._memory.looked = flow.now()
    local state = health(self._settings, since)
    if state == "well" then well(self, since) elseif state == "ill" then ill(self) end
  end,
})
