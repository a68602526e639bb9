-- detector: "new on disk, old on the wire".  It compares the certificate that is
-- installed with the one that is served, and reloads where they differ for too long.

local flow = require "flow"
local expectation = require "expectation"
local words = require "words"

local detector = {}
local methods = {}
local class = words.class("detector", methods)

local spec = {
  of = { words.noun "target", required = true, help = "what it watches" },
  every = { "duration", default = 0.2, help = "look this often, in real time [200ms]" },
  patience = { "duration", default = 1.0, help = "reload when they differ for this long [1s]" },
}

local function watch(self)
  local play, settings = self._play, self._settings
  local since = false
  while true do
    flow.park(settings.every)
    local wire, what = settings.of:_wire_is()
    if wire ~= "old" or not self._running then
      since = false
    elseif not since then
      since = flow.now()
    elseif flow.now() - since >= settings.patience then
      rawset(self, "_count", self._count + 1)
      play:note("old on the wire", { target = settings.of._name, what = what })
      play:phase("detected")
      play.run.tap:comment(play, "detector: " .. what .. "; reloading")
      settings.of:_reload()
      since = false
    end
  end
end

function detector.new(play, given)
  local settings = words.check("detector", spec, given)
  local self = class.new { _play = play, _settings = settings, _running = true, _count = 0 }
  if not play.dry then play:spawn_flow(function () watch(self) end) end
  return self
end

function methods:stop()
  rawset(self, "_running", false)
  self._play:effect("the detector stops", flow.now())
end

function methods:start()
  rawset(self, "_running", true)
  self._play:effect("the detector starts", flow.now())
end

local things = { tripped = { kind = "count", help = "how often it found an old certificate on the wire" } }

function methods:expect(given)
  expectation.of_thing(self._play, "detector", things, { tripped = function () return self._count end }, given)
end

detector.reference = {
  { noun = "detector", written = "detector { ... }", keys = spec, verbs = {
    { "stop", "detector:stop()", "it looks away" },
    { "start", "detector:start()", "it looks again" },
    { "expect", "detector:expect { tripped = 1 }", "judges", expectation.rules_of(things) },
  }, methods = methods },
}

return detector
