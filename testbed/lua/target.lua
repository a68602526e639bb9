-- target: a server that is really started, given certificates and reloaded the
-- way it is reloaded in production.  What differs between servers is in
-- testbed/targets/NAME.lua, an adapter:
--
--   summary           one line for `rehearse targets`
--   needs             Debian package and program, or nil
--   extra             spec of further keys this kind takes
--   outward           true where it is outside the stage
--   reads_clock       true where it lives on the calendar: if it answers HTTP with a Date header, that
--                     proves its clock, and if not, the report says that nothing does
--   start(target)     starts the process(es), waits until it listens, returns HOST:PORT
--   configure(target) writes its configuration files from target._config and target._live
--   reload(target)    "done", or "refused" and its own words
--   check(target)     "works" or "fails" and why: would a cold start come up?
--   stop(target)      ends it, for a restart
--
-- What it serves is in target._live: chain.pem, key.pem, combined.pem and perhaps staple.der; a
-- symbolic link that is renamed into place, so that a certificate and its key change together.

local flow = require "flow"
local host = require "host"
local ca = require "ca"
local calendar = require "calendar"
local expectation = require "expectation"
local words = require "words"
local worker = require "worker"

local target = {}

target.kinds = { "builtin", "nginx", "command", "external" }

local methods = {}
local class = words.class("target", methods)

-- What can be configured on a target, in every kind's own syntax.
local config_spec = {
  min_version = { "version", default = false, help = "oldest TLS version [1.2]" },
  max_version = { "version", default = false, help = "newest TLS version [1.3]" },
  ciphers = { "text", default = false, help = "cipher suites of TLS 1.2, as OpenSSL lists them" },
  groups = { "text", default = false, help = "key exchange groups, such as \"X25519:P-256\"" },
  client_ca = { words.noun "ca", default = false, help = "clients need a certificate of this authority" },
}

local spec = {
  words.one_of(target.kinds),
  name = { "text", required = true, help = "the name that clients ask for and verify" },
  certificate = { words.noun "chain", default = false, help = "what it serves first; an external target has its own" },
}
for key, rule in pairs(config_spec) do spec[key] = rule end

function target.adapter(kind)
  return require("targets." .. kind)
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
    _config = {}, _address_text = false, _installed = false, _versions = 0, _process = false,
    _dir = false, _live = false, _good = false, _last_reload = {}, _changed_at = 0, _state = {},
  }
  for key in pairs(config_spec) do self._config[key] = settings[key] end
  play.nouns.target = play.nouns.target + 1
  table.insert(play.targets, self)
  if not play.target then play.target = self end
  if adapter.outward then play.outward = true end
  if adapter.declare then adapter.declare(self) end
  if play.dry then return self end
  self:_start()
  return self
end

-- --- what it serves -----------------------------------------------------------------------------

local function copy(play, from, to, mode)
  local file = io.open(from, "rb")
  if not file then return nil end
  local text = file:read "a"
  file:close()
  play:must(host.write(to, text, mode))
  return text
end

-- Puts a chain on disk; the target is not told.
function methods:_place(chain)
  local play = self._play
  self._versions = self._versions + 1
  local version = ("%s/live-%d"):format(self._dir, self._versions)
  local from = chain._facts.dir
  play:must(host.make_directory(version, 493))
  local certificates = copy(play, from .. "/chain.pem", version .. "/chain.pem", 420) or ""
  local key = copy(play, from .. "/key.pem", version .. "/key.pem", 384) or ""
  play:must(host.write(version .. "/combined.pem", certificates .. key, 384))
  local stapled = self._state.staple
  self._state.staple = copy(play, from .. "/staple.der", version .. "/staple.der", 420) ~= nil
  play:must(host.link(("live-%d"):format(self._versions), self._live))
  rawset(self, "_installed", chain)
  if self._address_text and self._state.staple ~= stapled then self._adapter.configure(self) end
  play:note("on disk", { target = self._name, serial = chain._facts.serial })
  play:phase("on disk", chain._facts.serial)
end

function methods:_chain() return self._installed end

function methods:_address() return self._address_text end

-- --- starting -----------------------------------------------------------------------------------

function methods:_start()
  local play = self._play
  play:open_stage()
  rawset(self, "_dir", ("%s/target-%d"):format(play.dir, play.nouns.target))
  rawset(self, "_live", self._dir .. "/live")
  play:must(host.make_directory(self._dir, 493))
  if self._settings.certificate then self:_place(ca.claim(self._settings.certificate, self._name)) end
  rawset(self, "_good", self:_snapshot())
  if self._adapter.configure then self._adapter.configure(self) end
  rawset(self, "_address_text", self._adapter.start(self))
  play:note("target", { kind = self._kind, name = self._name, address = self._address_text })
  self:_prove_clock()
end

-- A look from outside, whatever is served: nil where nobody answers.
function methods:_look()
  local answer = worker.of(self._play, "openssl"):probe {
    connect = self._address_text, name = self._name, verify = false, timeout = "5s",
    say = ("HEAD / HTTP/1.0\r\nHost: %s\r\n\r\n"):format(self._name),
  }
  return answer.outcome == "ok" and answer or nil, answer.outcome
end

local MONTHS = { Jan = 1, Feb = 2, Mar = 3, Apr = 4, May = 5, Jun = 6, Jul = 7, Aug = 8, Sep = 9, Oct = 10,
  Nov = 11, Dec = 12 }

-- RFC 9110 5.6.7: "Sun, 06 Nov 1994 08:49:37 GMT", as Unix seconds.
local function http_date(text)
  local day, month, year, time = (text or ""):match "[Dd]ate: %a+, (%d+) (%a+) (%d+) ([%d:]+) GMT"
  if not day then return nil end
  return host.moment(("%04d-%02d-%02dT%sZ"):format(year, MONTHS[month] or 0, day, time), 0)
end

-- The target lives on the calendar, or the play ends: a clock that did not move proves nothing.
function methods:_prove_clock()
  local play = self._play
  if not self._adapter.reads_clock then return end
  local before = play.page:now()
  local answer, outcome = self:_look()
  local reading = answer and http_date(answer.heard)
  if not reading then
    local why = answer and "it answers without an HTTP Date" or "a look at it ends in " .. outcome
    play:note("clock not proven", { who = self._name, why = why })
    if not self._state.unproven then
      play.run.tap:comment(play, ("the clock of %s cannot be proven: %s"):format(self._name, why))
    end
    self._state.unproven = true
    return
  end
  calendar.prove(play, ("target %s (%s)"):format(self._name, self._kind), before, reading, play.page:now())
end

-- --- what a scenario can do to it -----------------------------------------------------------------

function methods:_reload()
  local play = self._play
  local result, why = self._adapter.reload(self)
  self._last_reload = { result = result, why = why }
  self._changed_at = flow.now()
  play:note("reload", { target = self._name, result = result, why = why })
  if result == "done" then play:phase("reloaded", self._installed and self._installed._facts.serial) end
  return result, why
end

local function reloadable(self, what)
  if self._adapter.outward then
    words.mistake("an external target cannot be changed: no %s", what)
  end
  return not self._play.dry
end

local function chain_argument(who, chain)
  return words.value(who, words.noun "chain", chain)
end

-- Puts a chain on disk and reloads.
function methods:install(chain)
  chain_argument("install", chain)
  if not reloadable(self, "install") then return end
  local began = flow.now()
  self:_place(ca.claim(chain, self._name))
  local result = self:_reload()
  self._play:effect(("%s is given %s; reload %s"):format(self._name, self:_describe_chain(), result), began)
end

-- Puts a chain on disk; nobody tells the target.
function methods:place(chain)
  chain_argument("place", chain)
  if not reloadable(self, "place") then return end
  local began = flow.now()
  self:_place(ca.claim(chain, self._name))
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
  if not reloadable(self, "configure") then return end
  local said = {}
  for key, value in pairs(given) do
    self._config[key] = change[key]
    said[#said + 1] = ("%s = %s"):format(key, type(value) == "table" and value.noun or tostring(value))
  end
  table.sort(said)
  local began = flow.now()
  self._adapter.configure(self)
  local result = self:_reload()
  self._play:effect(("%s is configured: %s; reload %s"):format(self._name, table.concat(said, ", "), result), began)
end

function methods:reload()
  if not reloadable(self, "reload") then return end
  local began = flow.now()
  self._play:effect(("%s is reloaded: %s"):format(self._name, (self:_reload())), began)
end

-- Stops it and starts it cold.
function methods:restart()
  if not reloadable(self, "restart") then return end
  local began = flow.now()
  self._adapter.stop(self)
  rawset(self, "_address_text", self._adapter.start(self))
  self._play:effect(self._name .. " is restarted", began)
end

-- The certificate and configuration that it was last known to be well with.
function methods:_snapshot()
  local config = {}
  for key, value in pairs(self._config) do config[key] = value end
  return { chain = self._installed, config = config }
end

function methods:_is_good()
  rawset(self, "_good", self:_snapshot())
end

-- Back to what was last known to be well.
function methods:rollback()
  if not reloadable(self, "rollback") then return end
  local good = self._good
  for key in pairs(config_spec) do self._config[key] = good.config[key] end
  if good.chain ~= self._installed then self:_place(good.chain) end
  self._adapter.configure(self)
  return (self:_reload())
end

local things = {
  reload = { kind = words.one_of { "done", "refused" }, help = "how the last reload ended" },
  cold_start = { kind = words.one_of { "works", "fails" }, help = "whether it would come up after a reboot" },
  wire = { kind = words.one_of { "new", "old" }, help = "whether what is served is what is on disk" },
}

function methods:expect(given)
  expectation.of_thing(self._play, self._name, things, {
    reload = function () return self._last_reload.result, self._last_reload.why end,
    cold_start = function () return self._adapter.check(self) end,
    wire = function () return self:_wire_is() end,
  }, given)
end

-- "new" where what is served is what is on disk, else "old".
function methods:_wire_is()
  local answer, outcome = self:_look()
  if not answer then return outcome end
  local disk = self._installed._facts.serial
  return answer.chain[1] == disk and "new" or "old", ("on disk %s, on the wire %s"):format(disk, answer.chain[1])
end

target.reference = {
  { noun = "target", written = 'target { "builtin", "nginx", ... }', keys = spec, verbs = {
    { "install", "shop:install(chain)", "puts a chain on disk and reloads" },
    { "place", "shop:place(chain)", "puts a chain on disk; nobody tells the target" },
    { "configure", "shop:configure { ... }", "changes its configuration and reloads", config_spec },
    { "reload", "shop:reload()", "reloads it the way it is reloaded in production" },
    { "restart", "shop:restart()", "stops it and starts it cold" },
    { "rollback", "shop:rollback()", "back to what a guard last saw it well with" },
    { "expect", "shop:expect { ... }", "judges", expectation.rules_of(things) },
  }, methods = methods },
}

-- --- help for adapters ------------------------------------------------------------------------------

-- 127.0.0.1 and a port: HTTPS's own on a stage of its own, else one that is free.
function target.listen_address(play)
  if play.isolation == "isolated" then return "127.0.0.1:443" end
  return "127.0.0.1:" .. play:must(host.free_port())
end

-- Calls `take(line)` for every line of a stream of the target's process; its words are in the journal.
function target.follow(self, next_line, take)
  local play, process = self._play, self._process
  play:spawn_flow(function ()
    for line in function () return next_line(process) end do
      play:note("said", { who = self._name, text = line })
      take(line)
    end
  end)
end

-- A place where one flow waits for the target to say something, and its reader puts it.
function target.mailbox()
  local box = { waiter = false, news = {} }
  function box:put(...)
    table.insert(self.news, { ... })
    if self.waiter then flow.wake(self.waiter) end
  end
  function box:clear() self.news = {} end
  function box:take(patience)
    local deadline = flow.now() + patience
    while #self.news == 0 and flow.now() < deadline do
      self.waiter = flow.self()
      flow.park(deadline - flow.now())
      self.waiter = false
    end
    local first = table.remove(self.news, 1)
    if first then return table.unpack(first) end
  end
  return box
end

return target
