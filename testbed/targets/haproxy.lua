-- haproxy: Debian's, as master and worker, with a configuration of ours; reloaded by SIGUSR2 to the
-- master, as `systemctl reload haproxy` does.

local host = require "host"
local server = require "server"

local haproxy = {
  summary = "Debian's haproxy, ending TLS with a bundle of certificate and key",
  needs = "haproxy", program = "haproxy",
  reads_clock = true,
  configurable = true,
}

local NAMES = { ["1.0"] = "TLSv1.0", ["1.1"] = "TLSv1.1", ["1.2"] = "TLSv1.2", ["1.3"] = "TLSv1.3" }

local OURS = [[
global
    maxconn 512
%user
defaults
    mode http
    timeout client 30s
frontend https
    bind %address ssl crt "%pem" %ssl
    http-request return status 200 content-type text/plain string rehearsal hdr Date "%[date,http_date]"
]]

-- What stands behind `bind`.
local function options(self)
  local config, list = self._config, {}
  local function option(name, value)
    if value then list[#list + 1] = name .. " " .. value end
  end
  option("ssl-min-ver", NAMES[config.min_version or "1.2"])
  option("ssl-max-ver", NAMES[config.max_version])
  option("ciphers", config.ciphers)
  option("curves", config.groups)
  option("ca-file", config.client_ca and ('"%s/root.pem" verify required'):format(config.client_ca._dir))
  option("crl-file", config.client_crl and ('"%s"'):format(config.client_crl))
  return table.concat(list, " ")
end

local function config_file(self) return self._dir .. "/haproxy.cfg" end

function haproxy.configure(self)
  self._state.listen = self._state.listen or server.listen_address(self)
  local values = {
    address = self._state.listen, pem = self._live .. "/combined.pem", ssl = options(self),
    user = host.uid() == 0 and "    user haproxy\n    group haproxy" or "",
  }
  self._play:must(host.write(config_file(self), (OURS:gsub("%%(%a+)", values))))
end

-- The master says of each worker whether it has come up, and before that why not.
function haproxy.start(self)
  local box, alert = server.mailbox(), nil
  self._state.box = box
  server.run(self, { "haproxy", "-W", "-db", "-f", config_file(self) }, function (line)
    alert = alert or line:match "^%[ALERT%] +%(%d+%) : (.*)"
    if line:find("Loading success.", 1, true) then box:put "serving" end
    if line:find("Loading failure!", 1, true) then box:put("refused", alert) end
    if line:find("Reloading HAProxy", 1, true) then alert = nil end
  end, function (why) box:put("ended", alert or why) end)
  return server.came_up(self, box:take(server.PATIENCE))
end

function haproxy.reload(self)
  return server.reload_by(self, "USR2")
end

function haproxy.check(self)
  local ending, _, err = self._play:command({ "haproxy", "-c", "-f", config_file(self) }, { clock = self._clock })
  return ending.code == 0 and "works" or "fails", err:match "%[ALERT%][^\n]*" or err
end

function haproxy.stop(self)
  server.stop(self, "TERM")
end

return haproxy
