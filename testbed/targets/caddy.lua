-- caddy: Debian's, a Go program, with a Caddyfile of ours.  It has two modes:
--
--   files    serves the certificate that a rehearsal puts on disk, and is reloaded by `caddy reload --force`.
--            Without --force a new certificate under the old name is not read: "config is unchanged".
--   managed  obtains and renews by itself from an ACME directory (target._acme): no renewal, no reload.
--
-- Its admin endpoint is a socket in its own directory, named from there: a longer path would not fit.

local host = require "host"
local json = require "json"
local server = require "server"
local words = require "words"

local caddy = {
  summary = "Debian's caddy, serving certificate files, or managing its own from an ACME directory",
  needs = "caddy", program = "caddy",
  reads_clock = true,
  configurable = true,
  store = "storage",
  passes = { by = 6 * 3600 },
  extra = { stapling = server.stapling },
}

local PATIENCE = 60 -- for a start, or the first certificate
local RELOAD = 10   -- for a command of its own, which may hang with a responder

local ADMIN = "unix/admin.sock"

-- Go's cipher suites for TLS 1.2 by their names in OpenSSL; those of TLS 1.3 cannot be chosen.
local SUITES = {
  ["ECDHE-ECDSA-AES256-GCM-SHA384"] = "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
  ["ECDHE-RSA-AES256-GCM-SHA384"] = "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
  ["ECDHE-ECDSA-AES128-GCM-SHA256"] = "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
  ["ECDHE-RSA-AES128-GCM-SHA256"] = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
  ["ECDHE-ECDSA-CHACHA20-POLY1305"] = "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
  ["ECDHE-RSA-CHACHA20-POLY1305"] = "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
  ["ECDHE-ECDSA-AES256-SHA"] = "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
  ["ECDHE-RSA-AES256-SHA"] = "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
  ["ECDHE-ECDSA-AES128-SHA"] = "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
  ["ECDHE-RSA-AES128-SHA"] = "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
  ["AES256-GCM-SHA384"] = "TLS_RSA_WITH_AES_256_GCM_SHA384",
  ["AES128-GCM-SHA256"] = "TLS_RSA_WITH_AES_128_GCM_SHA256",
}
local GROUPS = { X25519 = "x25519", ["P-256"] = "secp256r1", ["P-384"] = "secp384r1", ["P-521"] = "secp521r1" }
local VERSIONS = { ["1.2"] = "tls1.2", ["1.3"] = "tls1.3" }

-- A list with colons between, in Caddy's words.
local function in_its_words(key, table_of_names, list)
  local found = {}
  for name in list:gmatch "[^:]+" do
    found[#found + 1] = table_of_names[name]
      or words.mistake("%s: caddy has no '%s'%s", key, name, words.suggestion(name, words.keys(table_of_names)))
  end
  return table.concat(found, " ")
end

local translated = {
  min_version = function (value) return in_its_words("min_version", VERSIONS, value) end,
  max_version = function (value) return in_its_words("max_version", VERSIONS, value) end,
  ciphers = function (value) return in_its_words("ciphers", SUITES, value) end,
  groups = function (value) return in_its_words("groups", GROUPS, value) end,
}

function caddy.accepts(config)
  if config.client_crl then words.mistake "client_crl: caddy looks at no revocation lists" end
  for key, translate in pairs(translated) do
    if config[key] then translate(config[key]) end
  end
end

-- What stands inside of `tls { }`.
local function tls_lines(self)
  local config, lines = self._config, {}
  local function line(format, ...) lines[#lines + 1] = "\t\t" .. format:format(...) end
  if config.min_version or config.max_version then
    line("protocols %s %s", translated.min_version(config.min_version or "1.2"),
      translated.max_version(config.max_version or "1.3"))
  end
  if config.ciphers then line("ciphers %s", translated.ciphers(config.ciphers)) end
  if config.groups then line("curves %s", translated.groups(config.groups)) end
  if config.client_ca then
    line "client_auth {"
    line "\tmode require_and_verify"
    line('\ttrusted_ca_cert_file "%s/root.pem"', config.client_ca._dir)
    line "}"
  end
  if self._acme then
    line "issuer acme {"
    line("\tdir %s", self._acme.directory)
    line('\ttrusted_roots "%s"', self._acme.root)
    if not self._acme.http_port then line "\tdisable_http_challenge" end
    line "}"
  end
  return table.concat(lines, "\n")
end

local OURS = [[
{
	admin ]] .. ADMIN .. [[

	auto_https %automation
	skip_install_trust
%stapling
	storage file_system "%dir/]] .. caddy.store .. [["
	https_port %port
%ports
	log {
		output stderr
		format json
	}
	log cache {
		output stderr
		format json
		level DEBUG
		include tls.cache
	}
	servers {
		protocols h1 h2
	}
}
%name {
	bind %host
	tls %files {
%tls
	}
	respond "rehearsal"
}
]]

function caddy.configure(self)
  self._state.listen = self._state.listen or server.listen_address(self)
  self._env = { HOME = self._dir, XDG_CONFIG_HOME = self._dir, XDG_DATA_HOME = self._dir }
  local address, port = self._state.listen:match "^(.*):(%d+)$"
  local acme = self._acme
  local ports = {}
  if acme and acme.http_port then ports[#ports + 1] = ("\thttp_port %d"):format(acme.http_port) end
  local values = {
    stapling = self._settings.stapling and "" or "\tocsp_stapling off",
    automation = acme and "disable_redirects" or "off", dir = self._dir, host = address, port = port,
    name = self._name, ports = table.concat(ports, "\n"), tls = tls_lines(self),
    files = acme and "" or ('"%s/chain.pem" "%s/key.pem"'):format(self._live, self._live),
  }
  self._play:must(host.write(self._dir .. "/Caddyfile", (OURS:gsub("%%(%a+)", values))))
end

local function argv(verb, ...)
  return { "caddy", verb, "--config", "Caddyfile", "--adapter", "caddyfile", ... }
end

-- What it says of itself, by message.  A certificate that was obtained is served only when it has been put into the
-- cache, with a staple that may have to be asked for first.
local NEWS = {
  ["serving initial configuration"] = "serving",
  ["added certificate to cache"] = "cached",
  ["certificate renewed successfully"] = "renewed",
  ["could not get certificate from issuer"] = "failed",
}

function caddy.start(self)
  local box = server.mailbox()
  local on_the_way = { serving = true, cached = true }
  local awaited = server.has_none(self) and "cached" or "serving"
  os.remove(self._dir .. "/admin.sock") -- of one that was killed
  server.run(self, argv "run", function (line)
    local event = json.decode(line)
    local news = type(event) == "table" and NEWS[event.msg]
    if news then box:put(news, event.error) end
  end, function (why) box:put("ended", why) end)
  local state, why
  repeat state, why = box:take(PATIENCE) until state == awaited or not on_the_way[state]
  return server.came_up(self, state == awaited and "serving", why)
end

-- A command of caddy's: whether it went well, and its own words if not.
local function ask(self, ...)
  local ending, _, err = self._play:command(argv(...), { clock = self._clock, dir = self._dir, env = self._env,
    patience = RELOAD })
  if ending.signal then return false, ("caddy %s had not ended after %d s"):format((...), RELOAD) end
  return ending.code == 0, (err:match "Error: ([^\n]*)" or err)
end

function caddy.reload(self)
  if self._ended then return "refused", self._ended end
  local good, why = ask(self, "reload", "--force", "--address", ADMIN)
  if good then return "done" end
  return "refused", why
end

function caddy.check(self)
  local good, why = ask(self, "validate")
  return good and "works" or "fails", why
end

function caddy.stop(self)
  server.stop(self, "TERM")
end

return caddy
