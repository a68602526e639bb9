-- renewal: the machinery that keeps a target's certificate fresh, as a timer and
-- an ACME client would.  It looks at the certificate on disk, and knows nothing of clients.

local host = require "host"
local routine = require "routine"
local target = require "target"
local words = require "words"

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
  local chain = settings.from:_issue { name = { shop._name }, lifetime = settings.lifetime }
  play:phase("issued", chain._facts.serial)
  shop:_place(chain)
  if settings.reload then shop:_reload() end
  play.run.tap:comment(play, ("renewal: certificate %s, valid for %s"):format(chain._facts.serial,
    host.show_duration(chain._facts.not_after - play.page:now())))
end

return routine.define("renewal", {
  spec = spec,
  check = function (settings) target.owned(settings.of, "renewal") end,
  look = function (self)
    local left = self._settings.of._installed._facts.not_after - self._play.page:now()
    if left <= self._settings.when_left then renew(self._play, self._settings, left) end
  end,
})
