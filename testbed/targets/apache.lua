-- apache: Debian's, with mod_ssl and a configuration of ours.  It has two modes:
--
--   files    serves the certificate that a rehearsal puts on disk; reloaded as `apache2ctl graceful` does: a look
--            at the syntax, then SIGUSR1 to the parent, or a start where there is none to signal.
--   managed  mod_md obtains and renews by itself from an ACME directory (target._acme).  What it has obtained
--            waits for the next graceful restart, which its manual leaves to others: here it comes at once.
--            While time passes there is another every day, as logrotate(8) does it on Debian; mod_md looks then.
--
-- The look at the syntax does not look at certificates: with a key that does not match, the parent ends
-- at the graceful restart, and so does the service.

local files = require "files"
local host = require "host"
local server = require "server"
local tls_versions = require "targets.tls_versions"
local words = require "words"

local apache = {
  summary = "Debian's apache2 with mod_ssl, serving certificate files, or managing its own with mod_md",
  needs = "apache2-bin", program = "apache2",
  reads_clock = true,
  configurable = true,
  store = "md",
  extra = { stapling = server.stapling },
}

local PATIENCE = 60 -- a start, or the first certificate of mod_md, whose account has an RSA key of 4096 bits
local DAY = 86400

local MODULES = { "mpm_event", "authz_core", "dir", "socache_shmcb", "ssl" }
local NAMES = { ["1.0"] = "+TLSv1", ["1.1"] = "+TLSv1.1", ["1.2"] = "+TLSv1.2", ["1.3"] = "+TLSv1.3" }

local function quoted(path) return '"' .. path .. '"' end

-- The directives of the virtual host that a rehearsal decides.
local function directives(self)
  local config, lines = self._config, {}
  local function line(...) lines[#lines + 1] = "    " .. table.concat({ ... }, " ") end
  if not self._acme then
    line("SSLCertificateFile", quoted(self._live .. "/chain.pem"))
    line("SSLCertificateKeyFile", quoted(self._live .. "/key.pem"))
  end
  line("SSLProtocol -all", tls_versions.list(config, NAMES))
  if config.ciphers then line("SSLCipherSuite", config.ciphers) end
  if config.groups then line("SSLOpenSSLConfCmd Groups", config.groups) end
  if config.client_ca then
    line("SSLCACertificateFile", quoted(config.client_ca._dir .. "/root.pem"))
    line "SSLVerifyClient require"
    line "SSLVerifyDepth 10"
    if config.client_crl then
      line("SSLCARevocationFile", quoted(config.client_crl))
      line "SSLCARevocationCheck leaf"
    end
  end
  if self._settings.stapling then line "SSLUseStapling on" end
  return table.concat(lines, "\n")
end

-- What mod_md is told; its workers read the root of the directory, and they are not root.
local function managing(self)
  local acme = self._acme
  if not acme then return "" end
  local root = self._dir .. "/acme-root.pem"
  self._play:must(host.write(root, self._play:must(files.read(acme.root))))
  local port = self._state.listen:match ":(%d+)$"
  local listen = acme.http_port and ("Listen %s:%d"):format(self._state.listen:match "^(.*):", acme.http_port)
  return table.concat({
    listen or "",
    "LoadModule md_module /usr/lib/apache2/modules/mod_md.so",
    "Protocols http/1.1 acme-tls/1",
    "MDStoreDir " .. quoted(self._dir .. "/" .. apache.store),
    "MDCertificateAuthority " .. acme.directory,
    "MDCACertificateFile " .. quoted(root),
    "MDCertificateAgreement accepted",
    "MDContactEmail webmaster@" .. self._name,
    "MDCAChallenges tls-alpn-01" .. (acme.http_port and " http-01" or ""),
    ("MDPortMap http:%s https:%s"):format(acme.http_port or "-", port),
    "MDPrivateKeys secp256r1",
    "MDCheckInterval 1s",
    "LogLevel md:debug",
    "MDomain " .. self._name,
  }, "\n")
end

-- Threads and children as Debian has them.
local OURS = [[
ServerRoot "%dir"
ServerName %name
PidFile "%dir/%run.pid"
DefaultRuntimeDir "%dir"
ErrorLog "/dev/stderr"
LogLevel notice
%user
%modules
StartServers 2
ThreadsPerChild 25
MaxRequestWorkers 150
SSLSessionCache "shmcb:%dir/%run-sessions(512000)"
SSLStaplingCache "shmcb:%dir/%run-staples(128000)"
DocumentRoot "%dir/htdocs"
%managing
Listen %address
<VirtualHost %address>
    ServerName %name
    SSLEngine on
%ssl
</VirtualHost>
]]

local function config_file(self, run) return ("%s/%s.conf"):format(self._dir, run) end

local function write_config(self, run, address, managed)
  local modules = {}
  for i, name in ipairs(MODULES) do
    modules[i] = ("LoadModule %s_module /usr/lib/apache2/modules/mod_%s.so"):format(name, name)
  end
  local values = {
    dir = self._dir, name = self._name, run = run, address = address, ssl = directives(self), managing = managed,
    user = host.uid() == 0 and "User www-data\nGroup www-data" or "", modules = table.concat(modules, "\n"),
  }
  self._play:must(host.write(config_file(self, run), (OURS:gsub("%%(%a+)", values))))
end

function apache.configure(self)
  if not self._state.listen then
    self._state.listen = server.listen_address(self)
    self._play:must(host.make_directory(self._dir .. "/htdocs", files.DIRECTORY))
    self._play:must(host.write(self._dir .. "/htdocs/index.html", "rehearsal\n"))
  end
  write_config(self, "apache", self._state.listen, managing(self))
end

local function argv(self, run, ...)
  return { "apache2", "-f", config_file(self, run), ... }
end

local NEWS = {
  ["resuming normal operations"] = "serving",
  ["will be activated on next (graceful) server restart"] = "obtained",
  ["AH10107: next run in"] = "looked",
}

-- What a line of its error log means: one of NEWS, or "emerg" and what it says.
local function news_of(line)
  for text, news in pairs(NEWS) do
    if line:find(text, 1, true) then return news end
  end
  local emergency = line:match ":emerg%] %[pid [^%]]*%] (.*)"
  if emergency and not emergency:find "^AH00020" then return "emerg", emergency end
end

-- Starts the parent and tells its box how it fares: NEWS, or "ended" and why.
local function launch(self)
  local box, emergency = server.mailbox(), nil
  self._state.box = box
  local process
  server.run(self, argv(self, "apache", "-D", "FOREGROUND"), function (line)
    local news, what = news_of(line)
    emergency = what or emergency
    if news and news ~= "emerg" and (news ~= "looked" or self._state.looking) then box:put(news) end
    if news == "obtained" then process:signal "USR1" end
  end, function (why) box:put("ended", emergency or why) end)
  process = self._process
  return box
end

-- Takes news until it is one of `awaited` or the end.
local function await(box, awaited)
  repeat
    local state, why = box:take(PATIENCE)
    if not state or state == "ended" or state == awaited then return state, why end
  until false
end

-- The graceful restart of every night: mod_md looks, and what it obtains is served before this returns.
local function nightly(self)
  local box, served = self._state.box, false
  if self._ended then return end
  box:clear()
  self._state.looking = true
  self._process:signal "USR1"
  repeat
    local news = box:take(PATIENCE)
    if not news then words.environment("target %s: mod_md does not look after a graceful restart", self._name) end
    if news == "serving" then served = true end
    if news == "obtained" then served = false end
  until news == "ended" or news == "looked" and served
  self._state.looking = false
end

-- The first certificate, and from then on the nights.
local function obtain(self)
  local state, why = await(self._state.box, "obtained")
  if state == "obtained" then state, why = await(self._state.box, "serving") end
  local function night() nightly(self) end
  if not self._state.nights then table.insert(self._play.actors, { period = DAY, act = night }) end
  self._state.nights = true
  return state, why
end

function apache.start(self)
  local none = server.has_none(self)
  local state, why = await(launch(self), "serving")
  if state == "serving" and none then state, why = obtain(self) end
  return server.came_up(self, state, why)
end

local function syntax(self, run)
  local ending, _, err = self._play:command(argv(self, run, "-t"), { clock = self._clock })
  return ending.code == 0, err
end

function apache.reload(self)
  local good, why = syntax(self, "apache")
  if not good then return "refused", why end
  local box = self._state.box
  if self._ended then
    box = launch(self)
  else
    box:clear()
    self._process:signal "USR1"
  end
  local state, reason = await(box, "serving")
  if state == "serving" then return "done" end
  if state == "ended" then return "refused", reason end
  words.environment("target %s did not answer SIGUSR1", self._name)
end

-- Its own check does not look at certificates, so a twin is started elsewhere, and ended.
function apache.check(self)
  local play = self._play
  write_config(self, "twin", "127.0.0.1:" .. play:must(host.free_port()), "")
  local twin = play:start_process(argv(self, "twin", "-D", "FOREGROUND"), { clock = self._clock })
  local result, emergency = "fails", nil
  for line in function () return twin:err(PATIENCE) end do
    local news, what = news_of(line)
    emergency = emergency or what or (not news and line)
    if news == "serving" then result = "works" break end
  end
  twin:signal "TERM"
  twin:wait(PATIENCE)
  return result, result == "fails" and emergency or ""
end

function apache.stop(self)
  server.stop(self, "TERM")
end

return apache
