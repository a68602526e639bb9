-- What guard, detector and renewal have in common: each looks again and again, can be
-- stopped and started by the scenario, and counts how often it acted.

local flow = require "flow"
local expectation = require "expectation"
local turn = require "turn"
local words = require "words"

local routine = {}

-- For those of which only that is asked.
function routine.tripped(help)
  return { tripped = { kind = "count", help = help } }, function (self)
    return { tripped = function () return self._count end }
  end
end

-- Looks again and again.  Its own flow looks, and so does time that passes: one at a time.
local function begin(self, noun, how)
  local play, settings = self._play, self._settings
  if how.begin then how.begin(self) end
  self._looks = turn.new()
  local function look() self._looks:take(how.look, self) end
  if how.period then
    table.insert(play.actors, { period = how.period(self), name = settings.client or noun, tally = self._tally,
      rests = function () return not self._running end, act = look })
  end
  play:spawn_flow(function ()
    while true do
      flow.park(play:allowing(settings.every))
      if self._running then look() else self._memory = {} end
    end
  end)
end

-- Puts into `methods` what a scenario can do to it, and returns how the reference tells of that.
local function give_acts(methods, noun, how)
  local function turned(on, word)
    return function (self)
      self._running = on
      self._play:effect(("the %s %s"):format(noun, word), flow.now())
    end
  end
  methods.stop, methods.start = turned(false, "stops"), turned(true, "starts")
  local verbs = {
    { "stop", noun .. ":stop()", "it looks away" },
    { "start", noun .. ":start()", "it looks again" },
  }
  for _, act in ipairs(how.acts or {}) do
    methods[act[1]] = act[3]
    verbs[#verbs + 1] = { act[1], ("%s:%s()"):format(noun, act[1]), act[2] }
  end
  if how.things then
    function methods:expect(given)
      expectation.of_thing(self._play, noun, how.things, how.looks(self), given)
    end
    verbs[#verbs + 1] = { "expect", noun .. ":expect { ... }", "judges", expectation.rules_of(how.things) }
  end
  return verbs
end

-- A noun of this kind, as a module with `new` and `reference`.
--   how.spec       its keys; `every` is the real time between two looks
--   how.look(self) one look; what it keeps is in self._memory
--   how.period(self) how often it looks by the calendar, for passage.lua; or nil: it lives in real time
--   how.check      further checks of the settings, or nil
--   how.begin(self)  before the first look, or nil
--   how.acts       further acts { NAME, help, act }, called as act(self), or nil; self._looks is the turn to look
--   how.things     what can be expected of it, { NAME = { kind =, help = } }; looks(self) finds each:
--   how.looks(self)  { NAME = function }.  Without them: nothing; self:_acted() counts in self._count
function routine.define(noun, how)
  local methods, module = {}, {}
  local class = words.class(noun, methods)
  local verbs = give_acts(methods, noun, how)

  function methods:_acted()
    self._count = self._count + 1
  end

  function module.new(play, given)
    local settings = words.check(noun, how.spec, given)
    if how.check then how.check(settings) end
    local self = class.new { _play = play, _settings = settings, _running = true, _count = 0, _memory = {},
      _tally = {} } -- result of a look -> how often, for those that live by the calendar
    if not play.dry then begin(self, noun, how) end
    return self
  end

  module.reference = {
    { noun = noun, written = noun .. " { ... }", keys = how.spec, verbs = verbs, methods = methods },
  }
  return module
end

return routine
