-- clients: a fleet, one class of simulated clients a library, all at one target.

local ca = require "ca"
local files = require "files"
local flow = require "flow"
local host = require "host"
local json = require "json"
local calendar = require "calendar"
local class = require "class"
local expectation = require "expectation"
local words = require "words"
local worker = require "worker"

local clients = {}
local methods = {}
local fleet_class = words.class("clients", methods)

local RATE = 20     -- a second of each class, where the scenario does not say
local TIMEOUT = 5.0 -- seconds, likewise
local PATIENCE = 60 -- seconds for a busy machine to bring a tick

local own_time = words.kind("moment, or \"calendar\"", function (value)
  if value == "calendar" then return value end
  if type(value) == "string" and host.moment(value, 0) then return value end
  return nil, "a time in quotes, or \"calendar\""
end)

-- What a connection can be asked for; the worker has the same names.
local connection = {
  skew = { "offset", help = "their clocks are off by this [0s]" },
  at = { own_time, help = "their clocks stand at this time [calendar]" },
  min_version = { "version", help = "oldest TLS version they take [the library's]" },
  max_version = { "version", help = "newest TLS version they know [the library's]" },
  ciphers = { "text", help = "cipher suites they know [the library's]" },
  groups = { "text", help = "key exchange groups they know [the library's]" },
  sigalgs = { "text", help = "signature algorithms they take [the library's]" },
  alpn = { "text", help = "application protocols they ask for [none]" },
  staple = { words.one_of { "ignore", "check", "require" }, help = "what they make of an OCSP staple [the library's]" },
  name = { "name", help = "the name they ask for and verify [the target's]" },
  timeout = { "duration", help = "they give up after this [5s]" },
}

-- An authority, a chain, or a list of authorities.
local authority = words.noun("ca", "chain")
local trusted = words.kind("a ca, a chain or a list of them", function (value)
  if authority(value) then return { authority(value) } end
  local list = {}
  for i, item in ipairs(type(value) == "table" and value or {}) do list[i] = authority(item) end
  return #list > 0 and #list == #value and list or nil, "a ca, a chain or a list of them"
end)

local spec = {
  words.one_of(worker.libraries),
  to = { words.noun "target", required = true, help = "where they connect to" },
  named = { "text", help = "what this fleet is called in reports" },
  rate = { "rate", help = "arrivals of each class [20/s]" },
  at_once = { "number", help = "or: this many of each class connected at any time" },
  poisson = { "flag", default = false, help = "arrivals at random, by the seed of the run [false]" },
  trust = { trusted, help = "whom they trust [the authority of the target's first chain]" },
  trust_file = { "text", help = "or: a PEM file of roots" },
  certificate = { words.noun "chain", help = "their own certificate" },
  crl = { words.noun "chain", help = "they check revocation by the lists that came with this chain" },
}
for key, rule in pairs(connection) do spec[key] = rule end

local function merged(fields, more)
  local all = {}
  for key, value in pairs(fields) do all[key] = value end
  for key, value in pairs(more) do all[key] = value end
  return all
end

-- The worker's connection fields for what the scenario said.
local function fields_of(given)
  local fields = {}
  for key in pairs(connection) do
    local value = given[key]
    if value ~= nil then
      fields[key] = type(value) == "number" and ("%.0fms"):format(value * 1000) or value
    end
  end
  return fields
end

-- A connection's time is the calendar's, unless it has one of its own.
local function set_time(play, request, at)
  if at == "calendar" then
    request.at, request.clock = json.null, play.clock.file
  elseif at then
    request.clock = json.null
  end
end

local function trust_file(from)
  return from.noun == "ca" and from._dir .. "/root.pem" or from._facts.dir .. "/trust.pem"
end

-- What these clients trust: by default what the target's first chain leads up to.
local function trust_of(play, settings)
  if settings.trust_file then return play:file_beside(settings.trust_file) end
  local chain = settings.to._first
  if not settings.trust then return chain and trust_file(chain) end
  if #settings.trust == 1 then return trust_file(settings.trust[1]) end
  local texts = {}
  for i, from in ipairs(settings.trust) do texts[i] = play:must(files.read(trust_file(from))) end
  local path = ("%s/trust-%d.pem"):format(play.dir, #play.fleets)
  play:must(host.write(path, table.concat(texts)))
  return path
end

-- How each of them connects.
local function connection_of(fleet)
  local play, settings = fleet._play, fleet._settings
  local request = merged({ timeout = ("%.0fms"):format(play:allowing(TIMEOUT) * 1000) }, fields_of(settings))
  request.connect = settings.to._address
  request.name = request.name or settings.to._name
  request.trust = trust_of(play, settings)
  request.clock = play.clock.file
  set_time(play, request, settings.at)
  if settings.certificate then
    request.cert = settings.certificate._facts.dir .. "/chain.pem"
    request.key = settings.certificate._facts.dir .. "/key.pem"
  end
  if settings.crl then request.crl = { settings.crl._facts.dir .. "/crl.pem" } end
  return request
end

-- How often they come: where the scenario does not say, less often the busier the machine is said to be.
local function rate_of(play, settings)
  if settings.rate or settings.at_once then return settings.rate end
  return ("%.9g/s"):format(RATE / play:allowing(1))
end

-- Clients of this class begin to come.
local function begin_arrivals(fleet, who)
  local play, settings = fleet._play, fleet._settings
  local request = merged(who.connection, {
    ["do"] = "fleet", rate = rate_of(play, settings), at_once = settings.at_once,
    poisson = settings.poisson or nil, seed = play.run.seed, tick = "50ms", samples = 1,
  })
  play:note("clients", { class = who.name, request = request })
  who.fleet_id = who.worker:ask(request).id
  who.worker:stream(who.fleet_id, function (tick)
    who:hear(tick)
    who.reads = tick.now
    fleet:_heard(who, tick)
  end)
end

local function start_class(fleet, library)
  local play, settings = fleet._play, fleet._settings
  local self = class.new(settings.named and settings.named .. "/" .. library or library, library)
  self.skew = settings.skew or 0
  self.fixed = settings.at ~= nil and settings.at ~= "calendar"
  self.worker = worker.of(play, library)
  self.connection = connection_of(fleet)
  begin_arrivals(fleet, self)
  return self
end

local EXCLUSIVE = { { "rate", "at_once" }, { "poisson", "at_once" }, { "trust", "trust_file" }, { "at", "skew" } }

local function check_settings(play, settings)
  for _, pair in ipairs(EXCLUSIVE) do
    if settings[pair[1]] and settings[pair[2]] then
      words.mistake("clients: either %s or %s, not both", pair[1], pair[2])
    end
  end
  if settings.trust_file then
    local text, why = files.read(play:file_beside(settings.trust_file))
    if why then words.mistake("clients: trust_file: %s", why) end
    if not text:find "%-BEGIN [%u%d ]*CERTIFICATE%-" then
      words.mistake("clients: trust_file: %s: no certificate in it; expected roots in PEM", settings.trust_file)
    end
  end
  for _, key in ipairs { "certificate", "crl" } do
    if settings[key] then ca.named(settings[key], "clients: " .. key) end
  end
  for _, from in ipairs(settings.trust or {}) do
    if from.noun == "chain" then ca.named(from, "clients: trust") end
  end
end

function clients.new(play, given)
  local settings = words.check("clients", spec, given)
  if #settings == 0 then words.mistake("clients: name at least one library: %s",
    table.concat(worker.libraries, ", ")) end
  check_settings(play, settings)
  local fleet = fleet_class.new {
    _play = play, _settings = settings, _classes = {}, _listeners = {}, _judged = false,
    _libraries = { table.unpack(settings) },
  }
  table.insert(play.fleets, fleet)
  if play.dry then return fleet end
  for i, library in ipairs(settings) do fleet._classes[i] = start_class(fleet, library) end
  return fleet
end

-- A tick came: journal what is new, wake who waits for it.
function methods:_heard(who, tick)
  self._play.run.live:changed()
  local outcome = next(tick.outcomes)
  if outcome then
    self._play:note("tick", { class = who.name, generation = tick.generation, outcomes = tick.outcomes,
      latency_us = tick.latency_us, serials = tick.serials, samples = tick.samples, behind = tick.behind,
      skipped = tick.skipped })
  end
  for listener in pairs(self._listeners) do flow.wake(listener) end
end

-- Waits until a tick has come, or the time is up.
function methods:_next_tick(patience)
  local me = flow.self()
  self._listeners[me] = true
  flow.park(patience)
  self._listeners[me] = nil
end

-- Nobody comes any more, and the last has gone; what was under way is no part of any expectation.
function methods:_pause()
  for _, who in ipairs(self._classes) do who.worker:ask { ["do"] = "stop", fleet = who.fleet_id } end
end

function methods:_resume()
  for _, who in ipairs(self._classes) do
    who:begin_anew()
    begin_arrivals(self, who)
  end
end

-- Only handshakes that begin after this call count.
function methods:_mark()
  for _, who in ipairs(self._classes) do
    who:mark(who.worker:ask({ ["do"] = "mark", fleet = who.fleet_id }).generation)
  end
end

-- Ends what _mark began: for each class the last generation of it.
function methods:_close()
  local last = {}
  for i, who in ipairs(self._classes) do
    last[i] = who.worker:ask({ ["do"] = "mark", fleet = who.fleet_id }).generation - 1
  end
  return last
end

-- Every class reads the calendar as it is now, give or take its skew.
function methods:_prove_clock()
  local play = self._play
  for _, who in ipairs(self._classes) do
    if not who.fixed then
      local answer = who.worker:ask { ["do"] = "mark", fleet = who.fleet_id }
      local before, asked = play.page:now(), flow.now()
      while who.heard_until <= asked do
        self:_next_tick(1)
        if flow.now() > asked + PATIENCE then words.environment("client class %s reports nothing", who.name) end
      end
      calendar.prove(play, "client class " .. who.name, before, who.reads - who.skew, play.page:now())
      who:mark(answer.generation)
    end
  end
end

-- What clients see that nobody looks at proves nothing.
function methods:_tell_unjudged()
  if self._judged then return end
  local who = self._settings.named or table.concat(self._libraries, ", ")
  self._play.run.tap:comment(self._play, ("nothing was expected of these clients: %s"):format(who))
end

-- Changes what these clients ask for from now on, such as their skew.
function methods:set(given)
  local change = words.check("set", connection, given)
  local play = self._play
  if play.dry then return end
  local said = {}
  for key in pairs(given) do said[#said + 1] = ("%s = %s"):format(key, tostring(given[key])) end
  table.sort(said)
  play:effect("clients change: " .. table.concat(said, ", "), flow.now())
  for _, who in ipairs(self._classes) do
    local fields = fields_of(change)
    set_time(play, fields, change.at)
    who.connection = merged(who.connection, fields)
    local request = merged(fields, { ["do"] = "set", fleet = who.fleet_id })
    if change.at then who.fixed = change.at ~= "calendar" end
    who:mark(who.worker:ask(request).generation)
    if change.skew then who.skew = change.skew end
  end
end

-- What the clients see: { success = "100%", during = "1s" },
-- { outcome = "expired", share = "100%", within = "2s" } and the like.
function methods:expect(given)
  return expectation.of_fleet(self, given)
end

clients.reference = {
  { noun = "clients", written = 'clients { "openssl", "gnutls", "wolfssl", ... }', keys = spec, verbs = {
    { "set", "fleet:set { ... }", "changes what they ask for from now on", connection },
    { "expect", "fleet:expect { ... }", "judges what every class sees", expectation.spec },
  }, methods = methods },
}

return clients
