-- renewal: the machinery that keeps a target's certificate fresh, as a timer and
-- an ACME client would.  It looks at the certificate on disk, and knows nothing of clients.

local flow = require "flow"
local host = require "host"
local words = require "words"

local renewal = {}
local methods = {}
local class = words.class("renewal", methods)

local spec = {
  of = { words.noun "target", required = true, help = "whose certificate it keeps" },
  from = { words.noun "ca", required = true, help = "who issues the new ones" },
  when_left = { "duration", default = 30 * 86400, help = "renew when no more than this is left on the calendar [30d]" },
  every = { "duration", default = 0.2, help = "look this often, in real time [200ms]" },
  lifetime = { "span", default = "90d", help = "of the new certificates [90d]" },
  reload = { "flag", default = true, help = "reload the target afterwards [true]" },
}

local function renew(play, settings, left)
  local shop = settings.of
  play:note("renewal due", { target = shop._name, left = left })
  play:phase("order placed")
  local chain = settings.from:_issue_now { name = { shop._name }, lifetime = settings.lifetime }
  play:phase("issued", chain._facts.serial)
  shop:_place(chain)
  if settings.reload then shop:_reload() end
  play.run.tap:comment(play, ("renewal: certificate %s, valid for %s"):format(chain._facts.serial,
    host.show_duration(chain._facts.not_after - play.page:now())))
end

local function keep_fresh(self)
  local play, settings = self._play, self._settings
  while true do
    flow.park(settings.every)
    local chain = settings.of:_chain()
    local left = chain._facts.not_after - play.page:now()
    if self._running and left < settings.when_left then renew(play, settings, left) end
  end
end

function renewal.new(play, given)
  local settings = words.check("renewal", spec, given)
  local self = class.new { _play = play, _settings = settings, _running = true }
  if play.dry then return self end
  play:spawn_flow(function () keep_fresh(self) end)
  return self
end

function methods:stop()
  rawset(self, "_running", false)
  self._play:effect("renewal stops", flow.now())
end

function methods:start()
  rawset(self, "_running", true)
  self._play:effect("renewal starts", flow.now())
end

renewal.reference = {
  { noun = "renewal", written = "renewal { ... }", keys = spec, verbs = {
    { "stop", "renewal:stop()", "it quietly stops, as renewals do" },
    { "start", "renewal:start()", "it runs again" },
  }, methods = methods },
}

return renewal
