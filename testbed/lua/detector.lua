-- detector: "new on disk, old on the wire".  It compares the certificate that is
-- installed with the one that is served, and reloads where they differ for too long.

local flow = require "flow"
local routine = require "routine"
local target = require "target"
local words = require "words"

local spec = {
  of = { words.noun "target", required = true, help = "what it watches" },
  every = { "duration", default = 0.2, help = "look this often, in real time [200ms]" },
  patience = { "duration", default = 1.0, help = "reload when they differ for this long [1s]" },
}

local function act(self, what)
  local play, shop = self._play, self._settings.of
  self:_acted()
  play:note("old on the wire", { target = shop._name, what = what })
  play:phase("detected")
  play.run.tap:comment(play, "detector: " .. what .. "; reloading")
  shop:_reload()
end

local things, looks = routine.tripped "how often it found an old certificate on the wire"

return routine.define("detector", {
  spec = spec,
  things = things,
  looks = looks,
  check = function (settings) target.given(settings.of, "detector") end,
  look = function (self)
    local memory = self._memory
    local wire, what = self._settings.of:_wire_is()
    if wire ~= "old" then
      memory.since = nil
    elseif not memory.since then
      memory.since = flow.now()
    elseif flow.now() - memory.since >= self._play:allowing(self._settings.patience) then
      memory.since = nil
      act(self, what)
    end
  end,
})
