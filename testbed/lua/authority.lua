-- The acts of a ca that serves: ACME, OCSP, CRLs, issuers' certificates and DNS on the
-- stage (`fakeca serve`), and the faults it is told to commit.
--
-- What is armed must fire: a play whose fault never met a request has proven nothing, and fails.

local fakeca = require "fakeca"
local files = require "files"
local flow = require "flow"
local host = require "host"
local json = require "json"
local words = require "words"

local authority = {}

local PATIENCE = 60 -- seconds until it listens

-- --- serving ------------------------------------------------------------------------------------

local lifetime = words.kind("table of durations by name", function (value)
  if type(value) ~= "table" then return nil, "a table, such as { weekly = \"7d\" }" end
  local list = {}
  for name, span in pairs(value) do
    local seconds = type(span) == "string" and host.duration(span)
    if type(name) ~= "string" or not name:find "^[%l%d-]+$" or not seconds or seconds < 1 then
      return nil, "durations by name, such as { weekly = \"7d\" }"
    end
    list[#list + 1] = name .. "=" .. span
  end
  table.sort(list)
  return list
end)

local named_texts = words.kind("table of texts by name", function (value)
  if type(value) ~= "table" then return nil, "a table, such as { [\"rate-limits\"] = \"on\" }" end
  local list = {}
  for name, text in pairs(value) do
    if type(name) ~= "string" or type(text) ~= "string" then
      return nil, "texts by name, such as { [\"rate-limits\"] = \"on\" }"
    end
    list[#list + 1] = name .. "=" .. text
  end
  table.sort(list)
  return list
end)

local MOST_EYES = 8 -- as `fakeca serve --perspectives` has it

local eyes = words.kind("whole number", function (value)
  if math.type(value) == "integer" and value >= 1 and value <= MOST_EYES then return value end
  return nil, ("a whole number from 1 to %d"):format(MOST_EYES)
end)

authority.serve_spec = {
  settings = { named_texts, help = "settings of docs/authority.md, such as { [\"rate-limits\"] = \"on\" }" },
  profiles = { lifetime, help = "lifetimes by ACME profile [classic = \"90d\", tlsserver = \"45d\", "
    .. "shortlived = \"160h\"]" },
  perspectives = { eyes, default = 1, help = "so many look at each name, from name servers of their own [1]" },
  dnssec = { "flag", default = false, help = "its DNS is signed, and it issues for no name that does not validate "
    .. "[false]" },
  rate_limits = { "flag", default = false, help = "it keeps Let's Encrypt's, docs/authority.md [false]" },
}

-- A stage of its own has one address for each target, and the ports that the protocols name.
local function addresses(play)
  if play.isolation ~= "isolated" then return { "--validate-http-port", tostring(play:http_port()) } end
  if play.resolved then return {} end
  play.resolved = true
  return { "--dns", "127.0.0.1:53" }
end

local function listen(house)
  local play = house._play
  local argv = { play.run.options.programs .. "/fakeca", "serve", "--state", house._dir, "--clock", play.clock.file,
    "--seed", tostring(play.run.seed), "--perspectives", tostring(house._serving.perspectives),
    table.unpack(addresses(play)) }
  for _, profile in ipairs(house._serving.profiles or {}) do
    argv[#argv + 1], argv[#argv + 2] = "--profile", profile
  end
  if house._serving.dnssec then argv[#argv + 1] = "--dnssec" end
  if house._serving.rate_limits then table.move({ "--set", "rate-limits=on" }, 1, 2, #argv + 1, argv) end
  local process = play:start_process(argv)
  play:spawn_flow(function ()
    for line in function () return process:err() end do play:note("said", { who = "fakeca serve", text = line }) end
  end)
  local line = process:out(PATIENCE)
  local facts = line and json.decode(line)
  if not facts then words.environment("fakeca serve does not start: %s", line or "it says nothing") end
  return process, facts
end

-- Names are learnt by its DNS as the stage learns them.
local function tell_name(house, address, name)
  local kind = address:find ":" and "AAAA" or "A"
  fakeca.run(house._play, { "dns", "--state", house._dir, "--add", ("%s. %s %s"):format(name, kind, address) })
end

local function trusted_by_tools(play, facts)
  local bundle = play:must(io.open(play.dir .. "/trusted.pem", "a"))
  bundle:write(play:must(files.read(facts.https_root)))
  bundle:close()
end

local function refused(who, said)
  words.mistake("%s: %s", who, (said:gsub("^fakeca[^:]*: ", "")))
end

-- Its own check of what was said is the one that counts, and it is told at the scenario's line.  What it answers.
function authority.tell(house, argv)
  local play = house._play
  local ending, out, err = play:command { play.run.options.programs .. "/fakeca", table.unpack(argv) }
  if ending.code ~= 0 then refused(argv[1], err) end
  return json.decode(out)
end

-- What no authority would take is a mistake before anything is started.
local function check(play, who, argv)
  local command = { files.quoted(play.run.options.programs .. "/fakeca") }
  for _, word in ipairs(argv) do command[#command + 1] = files.quoted(word) end
  local said, good = files.lines_of(table.concat(command, " ") .. " --check 2>&1")
  if not good then refused(who, table.concat(said, " ")) end
end

function authority.serving(house, who)
  if not house._serving then words.mistake("%s: this ca does not serve; expected house:serve() before", who) end
end

local methods = {}

function methods:serve(given)
  if self._serving then words.mistake "serve: this ca serves already" end
  if self._settings.skew ~= 0 then words.mistake "serve: one that serves lives on the calendar; expected no skew" end
  local play = self._play
  self._serving, self._armed, self._arms = words.check("serve", authority.serve_spec, given or {}), {}, {}
  local given_settings = self._serving.settings
  play:at_end(function () authority.account(self) end)
  if play.dry then return given_settings and check(play, "serve", { "set", table.unpack(given_settings) }) end
  self._process, self._facts = listen(self)
  table.insert(play.authorities, self._process)
  trusted_by_tools(play, self._facts)
  play:note("authority", self._facts)
  if given_settings then authority.tell(self, { "set", "--state", self._dir, table.unpack(given_settings) }) end
  play:each_name(function (address, name) tell_name(self, address, name) end)
end

-- --- for targets that get certificates by themselves -----------------------------------------------

local account_methods = {}
local account_class = words.class("account", account_methods)

authority.acme_spec = {
  challenge = { words.one_of { "tls-alpn-01", "http-01" }, default = "tls-alpn-01",
    help = "how it proves that a name is its own [tls-alpn-01]" },
}

function methods:acme(given)
  authority.serving(self, "acme")
  return account_class.new { _house = self, _settings = words.check("acme", authority.acme_spec, given or {}) }
end

-- What a target has to know of it.
function account_methods:_terms()
  local house = self._house
  return { directory = house._facts.directory, root = house._facts.https_root,
    http_port = self._settings.challenge == "http-01" and house._play:http_port() or nil }
end

-- What is issued from now on, under these profiles, lasts so long; one of another name is made.
function methods:profiles(given)
  authority.serving(self, "profiles")
  local list = words.value("profiles", lifetime, given)
  if self._play.dry then return end
  for _, profile in ipairs(list) do authority.tell(self, { "profile", "--state", self._dir, profile }) end
  self._play:effect("the authority changes its profiles: " .. table.concat(list, ", "), flow.now())
end

-- It is no longer offered: who asks for it is refused, also where the order is older.
function methods:withdraw_profile(name)
  authority.serving(self, "withdraw_profile")
  words.value("withdraw_profile", "text", name)
  if self._play.dry then return end
  authority.tell(self, { "profile", "--state", self._dir, "--withdraw", name })
  self._play:effect("the authority withdraws a profile: " .. name, flow.now())
end

-- For good: who comes with the key of an account of before is a stranger.
function methods:forget_accounts()
  authority.serving(self, "forget_accounts")
  if self._play.dry then return end
  authority.tell(self, { "forget-accounts", "--state", self._dir })
  self._play:effect("the authority forgets all accounts", flow.now())
end

-- --- misbehaving --------------------------------------------------------------------------------

local function fault(play)
  return words.kind("fault", function (value)
    if type(value) == "string" and play.run.misbehaviours[value] then return value end
    local near = type(value) == "string" and words.suggestion(value, words.keys(play.run.misbehaviours)) or ""
    return nil, "a fault of docs/authority.md" .. near
  end)
end

local chain_fault = words.kind("fault of `rehearse faults`", function (value)
  if type(value) == "string" then return value end
  return nil, "a fault of `rehearse faults`, in quotes"
end)

authority.arm_spec = {
  account = { "count", help = "only requests of this account, by its number in `fakeca accounts`" },
  on = { "text", help = "the endpoint: newOrder, finalize, ocsp, ... [everywhere it applies]" },
  identifier = { "name", help = "only requests about this name" },
  serial = { "text", help = "only requests about this certificate" },
  nth = { "count", help = "from the nth such request on [1]" },
  times = { "count", help = "so many times [until disarmed]" },
  begins = { "offset", help = "so long from now, on the calendar [at once]" },
  for_ = { "duration", help = "for so long on the calendar, from when it begins: with `nth`, when it first fires" },
  share = { "share", help = "a share of the requests, drawn by the seed of the run [100%]" },
  status = { "count", help = "the HTTP status, for faults that take one" },
  after = { "text", help = "what Retry-After says, such as \"120\"" },
  after_date = { "offset", help = "the same as an HTTP date: so long from then, on the calendar" },
  may_miss = { "flag", default = false, help = "it is no failure of the play when it meets no request [false]" },
  chain = { chain_fault, help = "which of `rehearse faults`, for broken-chain" },
  key = { "text", help = "which entry, or type of challenge, for those that leave one out" },
  perspectives = { "count", help = "how many besides the first, for perspectives-disagree [all]" },
  skew = { "offset", help = "how far the clock is ahead, for clock-wrong [1d]" },
}

-- Options of `fakeca arm` that go as they are.
local AS_THEY_ARE = {
  "on", "account", "identifier", "serial", "nth", "times", "status", "after", "chain", "key", "perspectives",
}

-- What `fakeca arm` takes; `now`: Unix seconds on the calendar.
local function arm_options(settings, now)
  local argv = {}
  local function option(name, value)
    if value then argv[#argv + 1], argv[#argv + 2] = "--" .. name, tostring(value) end
  end
  local function seconds(value) return value and ("%ds"):format(math.floor(value)) end
  local function moment(later) return ("@%d"):format(math.floor(now + later)) end
  for _, name in ipairs(AS_THEY_ARE) do option(name, settings[name]) end
  option("share", settings.share and ("%g%%"):format(settings.share * 100))
  option("from", settings.begins and moment(settings.begins))
  if settings.nth then
    option("for", seconds(settings.for_))
  else
    option("until", settings.for_ and moment((settings.begins or 0) + settings.for_))
  end
  option("skew", seconds(settings.skew))
  option("after-date", seconds(settings.after_date))
  argv[#argv + 1] = settings[1]
  return argv
end

local function described(settings)
  return settings[1] .. (settings.on and " on " .. settings.on or "")
end

function methods:arm(given)
  authority.serving(self, "arm")
  local play = self._play
  local spec = { fault(play) }
  for key, rule in pairs(authority.arm_spec) do spec[key] = rule end
  local settings = words.check("arm", spec, given)
  if not settings[1] then words.mistake "arm: which fault? expected arm { \"retry-later\", on = \"newOrder\" }" end
  if settings.chain and not play.run.faults[settings.chain] then
    words.mistake("arm: unknown fault '%s'%s", settings.chain,
      words.suggestion(settings.chain, words.keys(play.run.faults)))
  end
  if play.dry then return check(play, "arm", { "arm", table.unpack(arm_options(settings, os.time())) }) end
  local options = arm_options(settings, play.page:now())
  local number = authority.tell(self, { "arm", "--state", self._dir, table.unpack(options) }).number
  self._arms[number] = { place = words.place(), may_miss = settings.may_miss }
  play:effect("the authority misbehaves: " .. described(settings), flow.now())
end

-- What is armed now, as `fakeca armed` tells it.
local function armed(house)
  return fakeca.ask(house._play, { "armed", "--state", house._dir }).armed
end

-- What was disarmed is told at the end as what is still armed.
function methods:disarm(name, on)
  authority.serving(self, "disarm")
  words.value("disarm", fault(self._play), name)
  if on ~= nil then words.value("disarm", "text", on) end
  if self._play.dry then return end
  for _, one in ipairs(armed(self)) do
    if one.fault == name and (not on or one.on == on) then table.insert(self._armed, one) end
  end
  local argv = { "disarm", "--state", self._dir, name }
  if on then table.move({ "--on", on }, 1, 2, #argv + 1, argv) end
  authority.tell(self, argv)
  self._play:effect(("the authority behaves again: %s"):format(described { name, on = on }), flow.now())
end

-- The play is over: every fault is journalled with how often it fired, and one that never did fails it.
function authority.account(house)
  local play = house._play
  if play.dry then return end
  for _, one in ipairs(armed(house)) do table.insert(house._armed, one) end
  local silent
  for _, one in ipairs(house._armed) do
    play:note("fault", one)
    if one.fired == 0 and not house._arms[one.number].may_miss then silent = silent or one end
  end
  if silent then
    error(words.ending("failed", ("%s: the fault %s never fired: %d requests went by that it was armed for"):format(
      house._arms[silent.number].place, described { silent.fault, on = silent.on }, silent.requests)), 0)
  end
end

authority.methods = methods

authority.verbs = {
  { "serve", "house:serve { ... }", "serves ACME, OCSP, CRLs and DNS on the stage; what it issues says where",
    authority.serve_spec },
  { "acme", "house:acme { ... }", "for a target that gets its certificates by itself, from here", authority.acme_spec },
  { "profiles", 'house:profiles { classic = "45d" }',
    "what it issues over ACME from now on lasts so long; another name is another profile" },
  { "withdraw_profile", 'house:withdraw_profile "NAME"', "it issues nothing under that name any more" },
  { "forget_accounts", "house:forget_accounts()", "all accounts are gone, as after a database was wiped" },
  { "arm", 'house:arm { "FAULT", on = "newOrder", ... }',
    "misbehaves, while it serves: a fault of docs/authority.md; one that never fires fails the play",
    authority.arm_spec },
  { "disarm", 'house:disarm("FAULT")', "behaves again; a second word says on which endpoint" },
}

return authority
