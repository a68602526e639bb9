-- renewal: the machinery that keeps a target's certificate fresh, as a timer and
-- an ACME client would.  It looks at the certificate on disk, and knows nothing of clients.

local flow = require "flow"
local host = require "host"
local words = require "words"

local renewal = {}
local methods = {}
local class = words.class("renewal", methods)

local spec = {
  of = { words.noun "target", required = true },
  from = { words.noun "ca", required = true },
  when_left = { "duration", default = 30 * 86400 },
  every = { "duration", default = 0.2 },
  lifetime = { "text", default = "90d" },
  reload = { "flag", default = true },
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
  words.value("renewal", "duration", settings.lifetime)
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

return renewal
