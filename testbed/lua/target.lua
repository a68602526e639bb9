-- target: a server that is really started, given certificates and reloaded the
-- way it is reloaded in production.  What differs between servers is in
-- testbed/targets/NAME.lua, an adapter, which has their processes from server.lua:
--
--   summary           one line for `rehearse targets`
--   needs, program    Debian package, and what of it is started; or nil
--   extra             spec of further keys this kind takes
--   outward           true where it is outside the stage
--   configurable      true where it takes min_version, ciphers and the like
--   accepts(config)   ends the play where it cannot be configured so; nil where it takes all
--   reads_clock       true where it lives on a clock of the stage: if it answers HTTP with a Date header, that
--                     proves its clock, and if not, the report says that nothing does
--   start(target)     starts the process(es), waits until it listens, returns HOST:PORT
--   configure(target) writes its configuration files from target._config and target._live
--   reload(target)    "done", or "refused" and its own words
--   check(target)     "works" or "fails" and why: would a cold start come up?
--   store             where it can get certificates by itself from an ACME server (see target._acme): the directory
--                     below target._dir in which it keeps all that it has from there; else nil
--   passes            { by = seconds } where it lives by monotonic timers: how long a step of time may be for it
--   stop(target)      ends it, for a restart
--
-- A target that gets its certificates by itself has target._acme before it is configured: the URL of a
-- directory, the file of the root that vouches for it, and http_port, where it shall answer http-01, or nil:
-- then it has tls-alpn-01 where it listens.
--
-- What any other serves is in target._live: chain.pem, key.pem, combined.pem and perhaps staple.der; a
-- symbolic link that is renamed into place, so that a certificate and its key change together.

local flow = require "flow"
local host = require "host"
local files = require "files"
local calendar = require "calendar"
local clocks = require "clocks"
local expectation = require "expectation"
local lists = require "lists"
local turn = require "turn"
local words = require "words"
local worker = require "worker"

local target = {}

target.kinds = { "builtin", "nginx", "apache", "caddy", "haproxy", "command", "external" }

local methods = {}
local class = words.class("target", methods)

-- What can be configured on a target, in every kind's own syntax.
local config_spec = {
  min_version = { "version", help = "oldest TLS version [1.2]" },
  max_version = { "version", help = "newest TLS version [1.3]" },
  ciphers = { "text", help = "cipher suites of TLS 1.2, as OpenSSL lists them" },
  groups = { "text", help = "key exchange groups, such as \"X25519:P-256\"" },
  client_ca = { words.noun "ca", help = "clients need a certificate of this authority" },
  client_crl = { words.noun "ca", help = "and none that is on its lists, which are fetched when this is configured" },
}

local clock_spec = {
  skew = { "offset", required = true, help = "its own clock is off by this; it must have been declared with a skew" },
}

local spec = {
  words.one_of(target.kinds),
  name = { "name", required = true, help = "the name that clients ask for and verify" },
  certificate = { words.noun("chain", "account"), help = "what it serves first, or whom it asks for certificates by "
    .. "itself; an external target has its own" },
  skew = { "offset", help = "its own clock is off by this [it has none of its own]" },
}
for key, rule in pairs(config_spec) do spec[key] = rule end

function target.adapter(kind)
  return require("targets." .. kind)
end

local function configurable(self, key)
  if not self._adapter.configurable then
    words.mistake("a target of kind %s is configured elsewhere: no '%s'", self._kind, key)
  end
end

-- For those that change a target: an external one is only looked at.
function target.owned(self, what)
  if self._adapter.outward then words.mistake("%s: an external target is never changed", what) end
end

-- For those that give it certificates: one that gets them by itself is given none.
function target.given(self, what)
  target.owned(self, what)
  if self._manages then words.mistake("%s: %s gets its certificates by itself", what, self._name) end
end

local function full_spec(kinds)
  local full = {}
  for key, rule in pairs(spec) do full[key] = rule end
  for _, kind in ipairs(kinds) do
    for key, rule in pairs(target.adapter(kind).extra or {}) do full[key] = rule end
  end
  return full
end

-- The kind to run as: what --target says, if this target can be that, or its first.
local function chosen_kind(play, kinds)
  local asked = play.run.options.target
  if not asked then return kinds[1] end
  for _, kind in ipairs(kinds) do
    if kind == asked then return kind end
  end
  play.unsuited = play.unsuited or ("does not run against %s"):format(asked)
  return kinds[1]
end

-- It gets its certificates by itself, where it was given an authority to ask.
local function manage(self, from)
  if not from or from.noun ~= "account" then return end
  if not self._adapter.store then
    words.mistake("target: a target of kind %s gets no certificates by itself; expected a chain, such as "
      .. "house:issue { }", self._kind)
  end
  self._manages, self._first = from, from._house
end

function target.new(play, given)
  local kinds = {}
  for i, kind in ipairs(type(given) == "table" and given or {}) do kinds[i] = kind end
  for i, kind in ipairs(kinds) do kinds[i] = words.value("target", words.one_of(target.kinds), kind) end
  if #kinds == 0 then words.mistake("target: say which kinds it can be: %s", table.concat(target.kinds, ", ")) end
  local settings = words.check("target", full_spec(kinds), given)
  local kind = chosen_kind(play, kinds)
  local adapter = target.adapter(kind)
  if not settings.certificate and not adapter.outward then
    words.mistake("target: 'certificate' is missing; expected a chain, such as house:issue { }")
  end
  local self = class.new {
    _play = play, _kind = kind, _adapter = adapter, _name = settings.name, _settings = settings,
    _config = {},       -- of config_spec, as it is now
    _installed = nil,   -- the chain on disk
    _versions = 0,      -- how many there were
    _first = nil,       -- the chain that it began with: whom clients trust by default
    _served = nil,      -- chain and configuration that it took last
    _good = nil,        -- those that clients were last seen well with
    _refused = nil,     -- why it refused what the script gave it, until that is expected
    _reloads = turn.new(),
    _last_reload = {},  -- result and why
    _changed_at = 0,
    _state = {},        -- the adapter's own
  }
  for key in pairs(config_spec) do
    if settings[key] ~= nil then configurable(self, key) end
    self._config[key] = settings[key]
  end
  if adapter.accepts then adapter.accepts(self._config) end
  if adapter.needs then play:needs("target " .. self._name, adapter.program, adapter.needs) end
  if settings.client_crl then lists.needs(play, "target " .. self._name, settings.client_crl) end
  if settings.skew then target.owned(self, "skew") end
  manage(self, settings.certificate)
  table.insert(play.targets, self)
  self._number = #play.targets
  if adapter.outward then play.outward = true end
  if adapter.declare then adapter.declare(self) end
  if settings.certificate and not self._manages then settings.certificate:_claim(settings.name) end
  if not play.dry then self:_start() end
  return self
end

-- --- what it serves -----------------------------------------------------------------------------

local function copy(play, from, to, mode)
  local text = play:must(files.read(from))
  play:must(host.write(to, text, mode))
  return text
end

-- Puts a chain on disk; the target is not told.
function methods:_place(chain)
  local play = self._play
  self._versions = self._versions + 1
  local version = ("%s/live-%d"):format(self._dir, self._versions)
  local from = chain._facts.dir
  play:must(host.make_directory(version, files.DIRECTORY))
  local certificates = copy(play, from .. "/chain.pem", version .. "/chain.pem", files.PUBLIC)
  local key = copy(play, from .. "/key.pem", version .. "/key.pem", files.PRIVATE)
  play:must(host.write(version .. "/combined.pem", certificates .. key, files.PRIVATE))
  local stapled = self._state.staple
  self._state.staple = files.read(from .. "/staple.der") ~= nil
  if self._state.staple then copy(play, from .. "/staple.der", version .. "/staple.der", files.PUBLIC) end
  play:must(host.link(("live-%d"):format(self._versions), self._live))
  self._installed = chain
  self._first = self._first or chain
  self._changed_at = flow.now()
  if self._address and self._state.staple ~= stapled then self._adapter.configure(self) end
  play:note("on disk", { target = self._name, serial = chain._facts.serial })
  play:phase("on disk", chain._facts.serial)
end

-- --- starting -----------------------------------------------------------------------------------

function methods:_start()
  local play = self._play
  play:open_stage()
  self._dir = ("%s/target-%d"):format(play.dir, self._number)
  self._live = self._dir .. "/live"
  play:must(host.make_directory(self._dir, files.DIRECTORY))
  self._clock = self._settings.skew and play:must(clocks.follower(play, self._dir, self._settings.skew)) or play.clock
  if self._manages then self._acme = self._manages:_terms() end
  if self._settings.certificate and not self._manages then self:_place(self._settings.certificate) end
  if self._config.client_crl then self:_demand_lists(self._config.client_crl) end
  if self._adapter.configure then self._adapter.configure(self) end
  self._address = self._adapter.start(self)
  self._served = self:_snapshot()
  self:_is_good()
  play:note("target", { adapter = self._kind, name = self._name, address = self._address })
  self:_prove_clock()
end

-- Fetches the revocation lists of an authority as they are now; the configuration has the name of their file.  nil and
-- why where there is nothing to be had: the ones of before stay.
function methods:_fetch_lists(house)
  local count = self._lists and self._lists.count + 1 or 1
  local path = ("%s/client-crl-%d.pem"):format(self._dir, count)
  local till, why = lists.fetch(self._play, house, path)
  if not till then return nil, why end
  self._lists = { house = house, count = count, till = till }
  self._config.client_crl = path
  return till
end

-- The same for who cannot go on without them.
function methods:_demand_lists(house)
  local till, why = self:_fetch_lists(house)
  if not till then words.environment("client_crl: %s", why) end
end

local LOOK = 5 -- seconds, after which a look gives up

-- A look from outside, whatever is served: a probe's answer.  HEAD would do, but not everybody answers it: for
-- openssl s_server -www it is no question, and who waits with it keeps all others waiting.
function methods:_look()
  return worker.of(self._play, "openssl"):probe {
    connect = self._address, name = self._name, verify = false, timeout = self._play:allowing(LOOK) .. "s",
    say = ("GET / HTTP/1.0\r\nHost: %s\r\n\r\n"):format(self._name),
  }
end

local MONTHS = { Jan = 1, Feb = 2, Mar = 3, Apr = 4, May = 5, Jun = 6, Jul = 7, Aug = 8, Sep = 9, Oct = 10,
  Nov = 11, Dec = 12 }

-- RFC 9110 5.6.7: "Sun, 06 Nov 1994 08:49:37 GMT", as Unix seconds.
local function http_date(text)
  local day, month, year, time = (text or ""):match "[Dd]ate: %a+, (%d+) (%a+) (%d+) ([%d:]+) GMT"
  if not day then return nil end
  return host.moment(("%04d-%02d-%02dT%sZ"):format(year, MONTHS[month] or 0, day, time), 0)
end

-- The target lives on the calendar, or the play ends: a clock that did not move proves nothing.  One
-- that cannot be read is told of.
function methods:_prove_clock()
  local play = self._play
  if not self._adapter.reads_clock then return end
  local page = self._clock.page
  local before = page:now()
  local answer = self:_look()
  local reading = http_date(answer.heard)
  if not reading then
    local why = answer.outcome ~= "ok" and "a look at it ends in " .. answer.outcome
      or (answer.heard or "") == "" and "it answers nothing in HTTP"
      or "it answers without an HTTP Date"
    play:note("clock not proven", { who = self._name, why = why })
    if not self._state.unproven then
      play.run.tap:comment(play, ("the clock of %s cannot be proven: %s"):format(self._name, why))
    end
    self._state.unproven = true
    return
  end
  calendar.prove(play, ("target %s (%s)"):format(self._name, self._kind), before, reading, page:now())
end

-- --- what a scenario can do to it -----------------------------------------------------------------

-- One at a time: renewal, guard, detector and the script may all want to.
function methods:_reload()
  local play, asked = self._play, nil
  local result, why = self._reloads:take(function ()
    asked = self:_snapshot()
    return self._adapter.reload(self)
  end)
  self._last_reload = { result = result, why = why }
  if result == "done" then self._served = asked end
  self._changed_at = flow.now()
  play:note("reload", { target = self._name, result = result, why = why })
  if result == "done" then play:phase("reloaded", self._installed and self._installed._facts.serial) end
  return result, why
end

-- A reload that the script asked for: if it is refused, that has to be expected next.
function methods:_reload_for_script()
  local result, why = self:_reload()
  if result ~= "done" then self._refused = why or result end
  return result
end

-- The same for what gives it a certificate.
local function takes(self, what)
  target.given(self, what)
  return not self._play.dry
end

-- Whether to go on: not in a dry run, and never with a target that is not ours.
local function reloadable(self, what)
  target.owned(self, what)
  return not self._play.dry
end

local function claimed(self, who, chain)
  chain = words.value(who, words.noun "chain", chain)
  chain:_claim(self._name)
  return chain
end

-- Puts a chain on disk and reloads.
function methods:install(chain)
  chain = claimed(self, "install", chain)
  if not takes(self, "install") then return end
  local began = flow.now()
  self:_place(chain)
  local result = self:_reload_for_script()
  self._play:effect(("%s is given %s; reload %s"):format(self._name, self:_describe_chain(), result), began)
end

-- Puts a chain on disk; nobody tells the target.
function methods:place(chain)
  chain = claimed(self, "place", chain)
  if not takes(self, "place") then return end
  local began = flow.now()
  self:_place(chain)
  self._play:effect(("%s has %s on disk, not reloaded"):format(self._name, self:_describe_chain()), began)
end

function methods:_describe_chain()
  local chain = self._installed
  local faults = #chain._faults > 0 and " (" .. table.concat(chain._faults, ", ") .. ")" or ""
  return "certificate " .. chain._facts.serial .. faults
end

-- Changes its configuration and reloads.
function methods:configure(given)
  local change = words.check("configure", config_spec, given)
  configurable(self, "configure")
  if self._adapter.accepts then self._adapter.accepts(change) end
  if not reloadable(self, "configure") then return end
  local said = {}
  for key, value in pairs(given) do
    self._config[key] = change[key]
    said[#said + 1] = ("%s = %s"):format(key, type(value) == "table" and "another" or tostring(value))
  end
  table.sort(said)
  local began = flow.now()
  if change.client_crl then self:_demand_lists(change.client_crl) end
  self._adapter.configure(self)
  local result = self:_reload_for_script()
  self._play:effect(("%s is configured: %s; reload %s"):format(self._name, table.concat(said, ", "), result), began)
end

function methods:reload()
  if not reloadable(self, "reload") then return end
  local began = flow.now()
  self._play:effect(("%s is reloaded: %s"):format(self._name, self:_reload_for_script()), began)
end

-- Sets its clock: further from the calendar, or right.
function methods:set(given)
  local change = words.check("set", clock_spec, given)
  if not self._settings.skew then
    words.mistake "set: this target has no clock of its own; expected skew = \"0s\" where it is declared"
  end
  if self._play.dry then return end
  local began = flow.now()
  self._clock.skew = change.skew
  clocks.follow(self._play)
  self._play:effect(("the clock of %s is off by %s"):format(self._name, given.skew), began)
  self:_prove_clock()
end

local function start_again(self, meanwhile, what)
  local began = flow.now()
  self._adapter.stop(self)
  meanwhile()
  self._address = self._adapter.start(self)
  self._served = self:_snapshot()
  self._play:effect(self._name .. what, began)
end

-- Stops it and starts it cold.
function methods:restart()
  if not reloadable(self, "restart") then return end
  start_again(self, function () end, " is restarted")
end

-- The same where its storage was no part of what a restart keeps.
function methods:forget()
  if not self._manages then
    words.mistake("forget: %s is given its certificates; expected certificate = house:acme {}", self._name)
  end
  if self._play.dry then return end
  start_again(self, function () host.remove_tree(self._dir .. "/" .. self._adapter.store) end,
    " is restarted with nothing: account, keys and certificates are lost")
end

-- The certificate and configuration that it was last known to be well with.
function methods:_snapshot()
  local config = {}
  for key, value in pairs(self._config) do config[key] = value end
  return { chain = self._installed, config = config }
end

function methods:_is_good()
  self._good = self._served
end

-- Back to what was last known to be well.
function methods:rollback()
  if not takes(self, "rollback") then return end
  local began = flow.now()
  self._play:effect(("%s is rolled back: %s"):format(self._name, (self:_rollback())), began)
end

function methods:_rollback()
  local good = self._good
  for key in pairs(config_spec) do self._config[key] = good.config[key] end
  if good.chain ~= self._installed then self:_place(good.chain) end
  if self._adapter.configurable then self._adapter.configure(self) end
  return (self:_reload())
end

local things = {
  reload = { kind = words.one_of { "done", "refused" }, help = "how the last reload ended" },
  cold_start = { kind = words.one_of { "works", "fails" }, help = "whether it would come up after a reboot" },
  wire = { kind = words.one_of { "new", "old" }, help = "whether what is served is what is on disk" },
}

function methods:expect(given)
  target.owned(self, "expect")
  expectation.of_thing(self._play, self._name, things, {
    reload = function ()
      self._refused = nil
      return self._last_reload.result, self._last_reload.why
    end,
    cold_start = function () return self._adapter.check(self) end,
    wire = function () return self:_wire_is() end,
  }, given)
end

-- "new" where what is served is what is on disk, else "old".
function methods:_wire_is()
  local answer = self:_look()
  local wire, disk = answer.chain and answer.chain[1], self._installed._facts.serial
  if not wire then return answer.outcome end
  return wire == disk and "new" or "old", ("on disk %s, on the wire %s"):format(disk, wire)
end

target.reference = {
  { noun = "target", written = 'target { "builtin", "nginx", ... }', keys = spec, verbs = {
    { "install", "shop:install(chain)", "puts a chain on disk and reloads" },
    { "place", "shop:place(chain)", "puts a chain on disk; nobody tells the target" },
    { "configure", "shop:configure { ... }", "changes its configuration and reloads", config_spec },
    { "set", 'shop:set { skew = "5m" }', "sets its own clock", clock_spec },
    { "reload", "shop:reload()", "reloads it the way it is reloaded in production" },
    { "restart", "shop:restart()", "stops it and starts it cold" },
    { "forget", "shop:forget()", "the same for one that gets its certificates by itself, and all that it has is lost" },
    { "rollback", "shop:rollback()", "back to what a guard last saw it well with" },
    { "expect", "shop:expect { ... }", "judges", expectation.rules_of(things) },
  }, methods = methods },
}

return target
