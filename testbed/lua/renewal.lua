-- renewal: the machinery that keeps a target's certificate fresh.  It looks at the
-- certificate on disk, or starts a real ACME client that does, and knows nothing of TLS clients.

local acme_client = require "acme_client"
local authority = require "authority"
local flow = require "flow"
local host = require "host"
local placeholders = require "placeholders"
local routine = require "routine"
local target = require "target"
local tooling = require "tooling"
local words = require "words"

local spec = {
  of = { words.noun "target", required = true, help = "whose certificate it keeps" },
  from = { words.noun "ca", required = true, help = "who issues the new ones" },
  client = { words.one_of(tooling.names), help = "the ACME client that does it; the ca has to serve [none: at once]" },
  command = { "text", help = "or: a command of your own, which leaves {dir}/chain.pem and {dir}/key.pem" },
  schedule = { "duration", help = "a client is started this often on the calendar, as by cron [12h]" },
  names = { "names", help = "what a client asks a certificate for [the target's name]" },
  must_staple = { "flag", default = false, help = "its client asks for what demands a staple, RFC 7633 [false]" },
  patience = { "duration", help = "a client that runs longer, in real time, is ended [1m]" },
  when_left = { "offset", default = 30 * 86400, help = "renew when no more than this is left on the calendar [30d]" },
  every = { "duration", default = 0.2, help = "look this often, in real time [200ms]" },
  lifetime = { "span", help = "of the new certificates, without a client [90d]" },
  reload = { "flag", default = true, help = "reload the target afterwards [true]" },
}

-- --- renewing at once -----------------------------------------------------------------------------

local function renew(self, left)
  local play, settings = self._play, self._settings
  local shop = settings.of
  play:note("renewal due", { target = shop._name, left = left })
  play:phase("order placed")
  local chain = settings.from:_issue { name = { shop._name }, lifetime = settings.lifetime }
  play:phase("issued", chain._facts.serial)
  shop:_place(chain)
  if settings.reload then shop:_reload() end
  play.run.tap:comment(play, ("renewal: certificate %s, valid for %s"):format(chain._facts.serial,
    host.show_duration(chain._facts.not_after - play.page:now())))
  return "renewed"
end

local function at_once(self)
  local left = self._settings.of._installed._facts.not_after - self._play.page:now()
  return left <= self._settings.when_left and renew(self, left) or "not due"
end

-- --- which of the two -------------------------------------------------------------------------------

-- Which key says who renews; nil: nobody but ourselves.
local function by_tool(settings) return settings.client and "client" or settings.command and "command" or nil end

-- What nobody would go by is a mistake.
local function check_sides(settings, tool)
  for _, key in ipairs { "names", "patience", "schedule" } do
    if settings[key] and not tool then words.mistake("renewal: '%s' is for a client; expected client = ...", key) end
  end
  if settings.lifetime and tool then
    words.mistake("renewal: 'lifetime' is not for a %s to say; expected "
      .. "house:serve { profiles = { classic = \"%s\" } }", tool, settings.lifetime)
  end
  local days = settings.when_left / 86400
  if tool and (days < 1 or days % 1 ~= 0) then
    words.mistake("renewal: 'when_left': a %s counts in days; expected whole ones, such as \"30d\"", tool)
  end
end

local things = {
  renewed = { kind = "count", help = "how many certificates it has brought" },
  last = { kind = words.one_of { "renewed", "not due", "failed" }, help = "how it ended when it last ran" },
}

local function forget(self)
  if not by_tool(self._settings) then
    words.mistake "renewal: forget: without a client it remembers nothing; expected client = ... in the renewal"
  end
  if self._play.dry then return end
  self._looks:take(self._forget)
  self._play:effect("the client's storage is lost", flow.now())
end

return routine.define("renewal", {
  spec = spec,
  check = function (settings)
    target.given(settings.of, "renewal")
    if settings.client and settings.command then words.mistake "renewal: either client or command, not both" end
    if settings.must_staple and not settings.client then
      words.mistake "renewal: must_staple is asked for by a client; expected client = ..."
    end
    if settings.command then placeholders.check("renewal: command", settings.command, tooling.placeholders) end
    local tool = by_tool(settings)
    check_sides(settings, tool)
    settings.schedule, settings.patience = settings.schedule or 43200, settings.patience or 60
    settings.lifetime = settings.lifetime or "90d"
    if not tool then return end
    authority.serving(settings.from, "renewal: " .. tool)
    acme_client.needs(settings.of._play, settings)
  end,
  begin = function (self)
    self._last = "not due"
    self._look = at_once
    if by_tool(self._settings) then self._look, self._forget = acme_client.new(self) end
  end,
  period = function (self) return by_tool(self._settings) and self._settings.schedule or math.huge end,
  look = function (self)
    local result = self:_look()
    if not result then return end
    self._last, self._tally[result] = result, (self._tally[result] or 0) + 1
    if result == "renewed" then self:_acted() end
  end,
  acts = { { "forget", "its client starts anew: account, keys and certificates are lost", forget } },
  things = things,
  looks = function (self)
    return { renewed = function () return self._count end, last = function () return self._last end }
  end,
})
