-- external: a server that is not ours.  It is connected to, by real clients, and
-- never changed; and only where --allow names its host.

local host = require "host"
local words = require "words"

local external = {
  summary = "a server elsewhere, at HOST:PORT; only with --allow HOST, and never changed",
  outward = true,
  extra = { address = { "text", help = "HOST:PORT" } },
}

function external.declare(self)
  local address = self._settings.address
  if not address then words.mistake("target: 'address' is missing; expected HOST:PORT") end
  local name, why = host.address(address)
  if not name then words.mistake("target: %s", why) end
  for _, allowed in ipairs(self._play.run.options.allow) do
    if allowed == name then return end
  end
  error(words.ending("guarded", ("%s: %s is outside the stage and not allowed; --allow %s would allow it")
    :format(self._play.path, address, name)), 0)
end

function external.start(self)
  return self._settings.address
end

return external
