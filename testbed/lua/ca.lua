-- ca, and the chains it issues.  Everything is done by the program `fakeca`; a chain
-- is a bundle directory that nobody writes to again.

local authority = require "authority"
local fakeca = require "fakeca"
local issuance = require "issuance"
local words = require "words"

local ca = {}

-- What `fakeca` says of the bundle that it wrote, and where it is.
local function bundle(play, at, argv)
  play.bundles = play.bundles + 1
  local dir = ("%s/chain-%d"):format(play.dir, play.bundles)
  for _, word in ipairs { "--out", dir, "--at", at, "--json" } do argv[#argv + 1] = word end
  local facts = fakeca.ask(play, argv)
  facts.dir = dir
  return facts
end

-- --- chains -------------------------------------------------------------------------------------

local chain_methods = {}
local chain_class = words.class("chain", chain_methods)

-- Made by `make(name)`; at once where its name is known, else when a target claims it. Its
-- dates count from now in either case.
local function new_chain(house, name, faults, make)
  local play = house._play
  local chain = chain_class.new {
    _play = play, _house = house, _faults = faults, _make = make,
    _at = not play.dry and fakeca.now(play, house._settings.skew) or nil,
    _name = name, -- or nil: the target's that claims it
    _facts = nil, -- as bundle.json has them, once it is made
  }
  if name then chain:_claim() end
  return chain
end

-- Makes it, for this name if it has none.
function chain_methods:_claim(name)
  self._name = self._name or name
  if not self._facts and not self._play.dry then self._facts = self._make(self) end
end

-- A chain that somebody else obtained from this authority; `facts` as bundle.json has them.
function ca.obtained(house, name, facts)
  local chain = chain_class.new { _play = house._play, _house = house, _faults = {}, _name = name, _facts = facts }
  return chain
end

-- What can only be done with a chain whose name is known.
function ca.named(chain, who)
  if not chain._name then
    words.mistake("%s: this chain has no name yet; expected house:issue { name = \"...\" }", who)
  end
  return chain
end

-- The same chain with a fault from the table (`rehearse faults`).  The chain itself stays as it is.
function chain_methods:broken(fault)
  words.value("chain:broken", "text", fault)
  local known = self._play.run.faults
  if not known[fault] then
    words.mistake("unknown fault '%s'%s", fault, words.suggestion(fault, words.keys(known)))
  end
  local faults = { table.unpack(self._faults) }
  table.insert(faults, fault)
  return new_chain(self._house, self._name, faults, function (broken)
    self:_claim(broken._name)
    local facts = bundle(self._play, broken._at, { "break", "--state", self._house._dir, "--in", self._facts.dir,
      "--fault", fault })
    self._play:note("chain broken", { fault = fault, serial = facts.serial })
    return facts
  end)
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
for _, more in ipairs { authority.methods, issuance.methods } do
  for name, method in pairs(more) do ca_methods[name] = method end
end
local ca_class = words.class("ca", ca_methods)

local key_kind = words.one_of { "p256", "p384", "rsa2048", "rsa3072", "rsa4096", "ed25519" }

local ca_spec = {
  root = { "span", default = "10y", help = "the root ends after this [10y]" },
  intermediate = { "span", default = "5y", help = "the intermediates end after this [5y]" },
  intermediates = { "count", default = 1, help = "how many stand between root and leaf [1]" },
  key = { key_kind, default = "p256", help = "kind of the authority's keys [p256]" },
  skew = { "offset", default = 0, help = "its clock is off by this; not where it serves [0s]" },
  cross_signed_by = { words.noun "ca", help = "an older authority that signs this one's root too" },
  cross_signed_for = { "span", help = "for so long, which may be longer than its own root lasts [as long as that]" },
}

local issue_spec = {
  name = { "names", help = "DNS names or IP addresses [the name of the target that is given it]" },
  lifetime = { "span", default = "90d", help = "the leaf ends after this [90d]" },
  key = { key_kind, default = "p256", help = "kind of the leaf's key [p256]" },
  client = { "flag", default = false, help = "for a client, that shows it to a server [false]" },
  cross = { "flag", default = false, help = "send the cross-sign too [false]" },
  must_staple = { "flag", default = false, help = "it demands a staple, RFC 7633 [false]" },
}

function ca.new(play, given)
  local settings = words.check("ca", ca_spec, given)
  play.nouns.ca = play.nouns.ca + 1
  local old = settings.cross_signed_by
  if settings.cross_signed_for and not old then words.mistake "ca: cross_signed_for what? expected cross_signed_by" end
  local house = ca_class.new { _play = play, _dir = false, _settings = settings, _signers = settings.intermediates }
  if play.dry then return house end
  play:open_stage()
  house._dir = ("%s/ca-%d"):format(play.dir, play.nouns.ca)
  fakeca.run(play, { "init", "--state", house._dir, "--at", fakeca.now(play), "--key", settings.key,
    "--intermediates", tostring(settings.intermediates),
    "--root-lifetime", settings.root, "--intermediate-lifetime", settings.intermediate })
  if old then
    fakeca.run(play, { "cross-sign", "--state", house._dir, "--from", old._dir, "--at", fakeca.now(play),
      "--lifetime", settings.cross_signed_for or old._settings.root })
  end
  return house
end

local function issue_command(house, names, issue)
  local argv = { "issue", "--state", house._dir, "--lifetime", issue.lifetime, "--key", issue.key or "p256" }
  for _, name in ipairs(names) do
    argv[#argv + 1] = "--name"
    argv[#argv + 1] = name
  end
  for _, word in ipairs(issue.client and { "--eku", "clientAuth" } or {}) do argv[#argv + 1] = word end
  if issue.cross then argv[#argv + 1] = "--cross" end
  if issue.must_staple then argv[#argv + 1] = "--must-staple" end
  if house._facts then table.move({ "--ocsp", house._facts.ocsp }, 1, 2, #argv + 1, argv) end
  return argv
end

-- `issue.name`, where it is known, is a list; the first is the server's.
function ca_methods:_issue(issue)
  return new_chain(self, issue.name and issue.name[1], {}, function (chain)
    local names = issue.name or { chain._name }
    local facts = bundle(self._play, chain._at, issue_command(self, names, issue))
    self._play:note("issued", { serial = facts.serial, name = names, not_after = facts.not_after })
    return facts
  end)
end

-- A new leaf with its chain.
function ca_methods:issue(given)
  return self:_issue(words.check("issue", issue_spec, given or {}))
end

-- A new intermediate with a new key; what is issued from now on comes from it.
function ca_methods:rotate()
  if self._play.dry then return end
  fakeca.run(self._play, { "rotate", "--state", self._dir, "--at", fakeca.now(self._play) })
  self._signers = self._signers + 1
  self._play:note("intermediate rotated", {})
end

ca.reference = {
  { noun = "ca", written = "ca { ... }", keys = ca_spec, verbs = {
    { "issue", "house:issue { ... }", "a new leaf with its chain; its dates count from now", issue_spec },
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

for _, more in ipairs { authority.verbs, issuance.verbs } do
  local verbs = ca.reference[1].verbs
  table.move(more, 1, #more, #verbs + 1, verbs)
end

return ca
