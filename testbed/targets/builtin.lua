-- builtin: target-builtin, the server that is there when no other is installed.

local host = require "host"
local json = require "json"
local server = require "server"

local builtin = {
  summary = "a small TLS server of its own: nothing to install, serves even what no other server would",
  reads_clock = true,
  configurable = true,
  extra = { exact = { "flag", default = false, help = "serves any bytes as they are, with any key [false]" } },
}

local function config_file(self) return self._dir .. "/target.json" end

function builtin.configure(self)
  local config = self._config
  self._state.listen = self._state.listen or server.listen_address(self)
  local settings = {
    listen = self._state.listen,
    log = self._dir .. "/handshakes.jsonl",
    hosts = json.array { {
      name = self._name, chain = self._live .. "/chain.pem", key = self._live .. "/key.pem",
      staple = self._state.staple and self._live .. "/staple.der" or nil,
    } },
    min_version = config.min_version, max_version = config.max_version,
    ciphers = config.ciphers, groups = config.groups, exact = self._settings.exact,
  }
  if config.client_ca then
    settings.client_ca = config.client_ca._dir .. "/root.pem"
    settings.client_auth = "require"
    settings.client_crl = config.client_crl
  end
  self._play:must(host.write(config_file(self), json.encode(settings)))
end

-- What an event of its means; all others mean nothing here.
local NEWS = { listening = "serving", reloaded = "serving", refused = "refused" }

function builtin.start(self)
  local program = self._play.run.options.programs .. "/target-builtin"
  local box = server.mailbox()
  self._state.box = box
  server.run(self, { program, "--config", config_file(self) }, function (line)
    local event = json.decode(line)
    local news = type(event) == "table" and NEWS[event.event]
    if news then box:put(news, event.why) end
  end, function (why) box:put("ended", why) end)
  return server.came_up(self, box:take(server.PATIENCE))
end

function builtin.reload(self)
  return server.reload_by(self, "HUP")
end

function builtin.check(self)
  local play = self._play
  local ending, _, err = play:command({ play.run.options.programs .. "/target-builtin", "--config",
    config_file(self), "--check" }, { clock = self._clock })
  return ending.code == 0 and "works" or "fails", err
end

function builtin.stop(self)
  server.stop(self, "TERM")
end

return builtin
