-- ca, and the chains it issues.  Everything is done by the program `fakeca`; a chain
-- is a bundle directory that nobody writes to again.

local json = require "json"
local words = require "words"

local ca = {}

-- --- running fakeca -----------------------------------------------------------------------------

local function fakeca(play, argv)
  local command = { play.run.options.programs .. "/fakeca" }
  for _, word in ipairs(argv) do command[#command + 1] = word end
  local ending, out, err = play:command(command)
  if ending.code ~= 0 then
    words.environment("fakeca %s: %s", argv[1], ending.error or (err ~= "" and err or "ended badly"))
  end
  return out
end

local function now(play)
  return ("@%d"):format(math.floor(play.page:now()))
end

local function bundle(play, argv)
  play.bundles = (play.bundles or 0) + 1
  local dir = ("%s/chain-%d"):format(play.dir, play.bundles)
  for _, word in ipairs { "--out", dir, "--at", now(play), "--json" } do argv[#argv + 1] = word end
  local facts, why = json.decode(fakeca(play, argv))
  if facts == nil then words.environment("fakeca %s: %s", argv[1], why) end
  facts.dir = dir
  return facts
end

-- --- chains ---------------------------------------------------------------------------------------

local chain_methods = {}
local chain_class = words.class("chain", chain_methods)

local function new_chain(house, facts, issue, faults)
  return chain_class.new { _play = house._play, _house = house, _facts = facts, _issue = issue, _faults = faults }
end

-- A chain that was issued before its name was known is issued when a target claims it.
function ca.claim(chain, name)
  local play = chain._play
  if play.dry or chain._facts then return chain end
  local issue = {}
  for key, value in pairs(chain._issue) do issue[key] = value end
  issue.name = issue.name or { name }
  local claimed = chain._house:_issue_now(issue)
  for _, fault in ipairs(chain._faults) do claimed = claimed:broken(fault) end
  return claimed
end

-- The same chain with a fault from the table (`rehearse faults`).  The chain itself stays as it is.
function chain_methods:broken(fault)
  words.value("chain:broken", "text", fault)
  local play = self._play
  if not play.run.faults[fault] then
    words.mistake("unknown fault '%s'%s", fault, words.suggestion(fault, words.keys(play.run.faults)))
  end
  local faults = { table.unpack(self._faults) }
  table.insert(faults, fault)
  if not self._facts or play.dry then return new_chain(self._house, false, self._issue, faults) end
  local facts = bundle(play, { "break", "--state", self._house._dir, "--in", self._facts.dir, "--fault", fault })
  play:note("chain broken", { fault = fault, serial = facts.serial })
  return new_chain(self._house, facts, self._issue, faults)
end

function chain_methods:without(what)
  return self:broken("without-" .. words.value("chain:without", "text", what))
end

function chain_methods:with_expired(what)
  return self:broken("expired-" .. words.value("chain:with_expired", "text", what))
end

function chain_methods:not_yet_valid(what)
  return self:broken("not-yet-valid-" .. words.value("chain:not_yet_valid", "text", what))
end

-- The intermediates in the wrong order; the leaf stays first.
function chain_methods:shuffled()
  return self:broken "shuffled-chain"
end

-- Leaf last, which only an exact target will serve.
function chain_methods:reversed()
  return self:broken "reversed-chain"
end

-- --- the authority ------------------------------------------------------------------------------

local ca_methods = {}
local ca_class = words.class("ca", ca_methods)

local key_kind = words.one_of { "p256", "p384", "rsa2048", "rsa3072", "ed25519" }

local ca_spec = {
  root = { "duration", default = false, help = "the root ends after this [10y]" },
  intermediate = { "duration", default = false, help = "the intermediates end after this [5y]" },
  intermediates = { "count", default = 1, help = "how many stand between root and leaf [1]" },
  key = { key_kind, default = "p256", help = "kind of the authority's keys [p256]" },
  cross_signed_by = { words.noun "ca", default = false, help = "an older authority that signs this one's root too" },
}

local issue_spec = {
  name = { "texts", default = false, help = "DNS names or IP addresses [the target's name]" },
  lifetime = { "span", default = "90d", help = "the leaf ends after this [90d]" },
  key = { key_kind, default = false, help = "kind of the leaf's key [p256]" },
  client = { "flag", default = false, help = "for a client, that shows it to a server [false]" },
  cross = { "flag", default = false, help = "send the cross-sign too [false]" },
}

function ca.new(play, given)
  local settings = words.check("ca", ca_spec, given)
  play.nouns.ca = play.nouns.ca + 1
  local house = ca_class.new { _play = play, _dir = false, _settings = settings }
  if play.dry then return house end
  play:open_stage()
  rawset(house, "_dir", ("%s/ca-%d"):format(play.dir, play.nouns.ca))
  local argv = { "init", "--state", house._dir, "--at", now(play), "--key", settings.key,
    "--intermediates", tostring(settings.intermediates) }
  for option, key in pairs { ["--root-lifetime"] = "root", ["--intermediate-lifetime"] = "intermediate" } do
    if settings[key] then
      argv[#argv + 1] = option
      argv[#argv + 1] = ("%ds"):format(settings[key])
    end
  end
  fakeca(play, argv)
  if settings.cross_signed_by then
    local old = settings.cross_signed_by
    -- as AddTrust's did, the cross-sign ends with the root that made it
    fakeca(play, { "cross-sign", "--state", house._dir, "--from", old._dir, "--at", now(play),
      "--lifetime", ("%ds"):format(old._settings.root or 10 * 365 * 86400) })
  end
  return house
end

function ca_methods:_issue_now(issue)
  local play = self._play
  local argv = { "issue", "--state", self._dir, "--lifetime", issue.lifetime }
  for _, name in ipairs(issue.name) do
    argv[#argv + 1] = "--name"
    argv[#argv + 1] = name
  end
  if issue.key then
    argv[#argv + 1] = "--key"
    argv[#argv + 1] = issue.key
  end
  if issue.client then
    argv[#argv + 1] = "--eku"
    argv[#argv + 1] = "clientAuth"
  end
  if issue.cross then argv[#argv + 1] = "--cross" end
  local facts = bundle(play, argv)
  play:note("issued", { serial = facts.serial, name = issue.name, not_after = facts.not_after })
  return new_chain(self, facts, issue, {})
end

-- A new leaf with its chain.  Without `name` it is for the target that will be given it.
function ca_methods:issue(given)
  local issue = words.check("issue", issue_spec, given or {})
  local play = self._play
  if not issue.name and play.target then issue.name = { play.target._name } end
  if play.dry or not issue.name then return new_chain(self, false, issue, {}) end
  return self:_issue_now(issue)
end

-- A new intermediate with a new key; what is issued from now on comes from it.
function ca_methods:rotate()
  if self._play.dry then return end
  fakeca(self._play, { "rotate", "--state", self._dir, "--at", now(self._play) })
  self._play:note("intermediate rotated", {})
end

ca.reference = {
  { noun = "ca", written = "ca { ... }", keys = ca_spec, verbs = {
    { "issue", "house:issue { ... }", "a new leaf with its chain", issue_spec },
    { "rotate", "house:rotate()", "a new intermediate with a new key; what is issued from now on comes from it" },
  }, methods = ca_methods },
  { noun = "chain", written = "house:issue { ... }", verbs = {
    { "broken", 'chain:broken "FAULT"', "the same chain with a fault of `rehearse faults`; the chain stays as it is" },
    { "without", 'chain:without "intermediate"', "the same as broken \"without-intermediate\"" },
    { "with_expired", 'chain:with_expired "intermediate"', "leaf, intermediate or root has run out" },
    { "not_yet_valid", 'chain:not_yet_valid "leaf"', "leaf, intermediate or root is from the future" },
    { "shuffled", "chain:shuffled()", "the intermediates in the wrong order; the leaf stays first" },
    { "reversed", "chain:reversed()", "the whole chain in reverse, leaf last; only an exact target serves it" },
  }, methods = chain_methods },
}

return ca
