-- nginx: Debian's, on the calendar, with a configuration of ours or the
-- user's own; reloaded by SIGHUP to its master, as `nginx -s reload` does.

local host = require "host"
local nginx_conf = require "targets.nginx_conf"
local server = require "server"
local tls_versions = require "targets.tls_versions"
local words = require "words"

local nginx = {
  summary = "Debian's nginx, with a configuration of ours or your own nginx.conf (--config FILE)",
  needs = "nginx-light", program = "nginx",
  reads_clock = true,
  configurable = true,
  extra = {
    config = { "text", help = "your own nginx.conf [what --config says]" },
    stapling = server.stapling,
  },
}

local NAMES = { ["1.0"] = "TLSv1", ["1.1"] = "TLSv1.1", ["1.2"] = "TLSv1.2", ["1.3"] = "TLSv1.3" }

local function quoted(path) return '"' .. path .. '"' end

-- The directives that a rehearsal decides; all others are the user's.
local function directives(self)
  local config = self._config
  local lines = {
    ssl_certificate = quoted(self._live .. "/chain.pem"),
    ssl_certificate_key = quoted(self._live .. "/key.pem"),
  }
  if config.min_version or config.max_version then lines.ssl_protocols = tls_versions.list(config, NAMES) end
  if config.ciphers then lines.ssl_ciphers = config.ciphers end
  if config.groups then lines.ssl_ecdh_curve = config.groups end
  if self._state.staple then
    lines.ssl_stapling = "on"
    lines.ssl_stapling_file = quoted(self._live .. "/staple.der")
  elseif self._settings.stapling then
    lines.ssl_stapling = "on"
    lines.ssl_stapling_verify = "on"
    lines.ssl_trusted_certificate = quoted(self._installed._house._dir .. "/root.pem")
    if self._play.resolved then lines.resolver = "127.0.0.1" end
  end
  return lines
end

-- A client that nginx turns away for its certificate has got through the handshake, and is told in HTTP.
function nginx.accepts(config)
  if not config.client_ca then return end
  words.mistake "client_ca: nginx refuses clients in HTTP (400), after a handshake that succeeds; expected another kind"
end

local OURS = [[
%user
worker_processes 2;
pid "%dir/nginx.pid";
error_log stderr notice;
events { worker_connections 512; }
http {
    access_log off;
    client_body_temp_path "%dir/tmp-body";
    proxy_temp_path "%dir/tmp-proxy";
    fastcgi_temp_path "%dir/tmp-fastcgi";
    uwsgi_temp_path "%dir/tmp-uwsgi";
    scgi_temp_path "%dir/tmp-scgi";
    server {
        listen %address ssl;
        server_name %name;
%ssl
        location / { return 200 "rehearsal\n"; }
    }
}
]]

local function our_config(self)
  local lines, ours = {}, directives(self)
  for _, name in ipairs(words.keys(ours)) do lines[#lines + 1] = ("        %s %s;"):format(name, ours[name]) end
  local values = {
    user = host.uid() == 0 and "user www-data;" or "",
    dir = self._dir, address = self._state.listen, name = self._name, ssl = table.concat(lines, "\n"),
  }
  return (OURS:gsub("%%(%a+)", values))
end

-- The user's own configuration: beside the scenario that names it, or as the command line has it.
local function own_file(self)
  local named = self._settings.config
  return named and self._play:file_beside(named) or self._play.run.options.config
end

-- The user's configuration on this stage; what had to be left out is told once.
local function own_config(self, path)
  local text, left_out, from = nginx_conf.rehearsed(path, {
    dir = self._dir, address = self._state.listen, name = self._name, directives = directives(self),
    root = host.uid() == 0,
  })
  if #left_out > 0 and not self._state.told then
    self._play.run.tap:comment(self._play, ("left out of %s: %s"):format(path, table.concat(left_out, ", ")))
  end
  if text:find "%f[%w_]ssl_verify_client on;" and not self._state.told then
    self._play.run.tap:comment(self._play, ("%s: whom ssl_verify_client turns away is told in HTTP (400), and counts "
      .. "as ok: the handshake succeeds"):format(path))
  end
  self._state.told, self._state.from = true, from
  return text
end

-- What nginx says of a line that is the user's, with the place where it stands in the user's file.
local function with_own_place(self, said)
  local from = self._state.from or {}
  return (said:gsub("%S+/nginx%.conf:(%d+)", function (line) return from[tonumber(line)] end))
end

-- Mistakes in it are told before anything is started.
function nginx.declare(self)
  local path = own_file(self)
  if path then nginx_conf.rehearsed(path, { dir = "", address = "", name = self._name, directives = {} }) end
end

function nginx.configure(self)
  self._state.listen = self._state.listen or server.listen_address(self)
  local path = own_file(self)
  local text = path and own_config(self, path) or our_config(self)
  self._play:must(host.write(self._dir .. "/nginx.conf", text))
end

local function argv(self, ...)
  return { "nginx", "-e", "stderr", "-p", self._dir .. "/", "-c", self._dir .. "/nginx.conf", ... }
end

-- What it says: calls `verdict` when it serves, by its workers' word, or has refused a configuration.  Those who
-- were there before a reconfiguration accept, with the old certificate, until they say that they shut down.
local function listener(verdict)
  local started, accepting, old = false, {}, {}
  return function (line)
    if line:find "%] [%d#]+: reconfiguring" then
      started, old = false, {}
      for worker in pairs(accepting) do old[worker] = true end
    end
    if line:find "%[emerg%]" then verdict("refused", (line:gsub("^.-%[emerg%] ", ""):gsub("^[%d#]+: ", ""))) end
    local new = line:match "start worker process (%d+)"
    if new then started, accepting[new] = true, true end
    local gone = line:match "(%d+)#%d+: gracefully shutting down" or line:match "worker process (%d+) exited"
    if gone then accepting[gone], old[gone] = nil, nil end
    if started and not next(old) then verdict "serving" end
  end
end

function nginx.start(self)
  local box = server.mailbox()
  self._state.box = box
  local asked = true -- one verdict for the start, one for each reconfiguration
  local hear = listener(function (state, why)
    if asked then box:put(state, why and with_own_place(self, why)) end
    asked = false
  end)
  server.run(self, argv(self, "-g", "daemon off;"), function (line)
    if line:find "%] [%d#]+: reconfiguring" then asked = true end
    hear(line)
  end, function (why) box:put("ended", why) end)
  return server.came_up(self, box:take(server.PATIENCE))
end

-- nginx says on its error log whether it took a configuration, and nowhere else.
function nginx.reload(self)
  return server.reload_by(self, "HUP")
end

function nginx.check(self)
  local ending, _, err = self._play:command(argv(self, "-t"), { clock = self._clock })
  return ending.code == 0 and "works" or "fails", with_own_place(self, err:match "%[emerg%][^\n]*" or err)
end

-- A worker that asks an OCSP responder does not end before that has answered, or for a minute.  Debian's nginx.service
-- gives it five seconds, too.
function nginx.stop(self)
  server.stop(self, "QUIT", "TERM")
end

return nginx
