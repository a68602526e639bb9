-- What an authority that serves has issued: counted, and held against what real ones allow; and taken back.

local authority = require "authority"
local expectation = require "expectation"
local fakeca = require "fakeca"
local flow = require "flow"
local words = require "words"

local issuance = {}

local WEEK = 7 * 86400

-- The most moments of a sorted list that lie within any seven days.
function issuance.busiest_week(moments)
  local most, first = 0, 1
  for last, moment in ipairs(moments) do
    while moment - moments[first] >= WEEK do first = first + 1 end
    most = math.max(most, last - first + 1)
  end
  return most
end

-- The same of the exact set of names that has most.
local function for_one_set(certificates)
  local sets, most = {}, 0
  for _, one in ipairs(certificates) do
    local names = { table.unpack(one.names) }
    table.sort(names)
    local key = table.concat(names, " ")
    sets[key] = sets[key] or {}
    table.insert(sets[key], one.not_before)
  end
  for _, moments in pairs(sets) do
    table.sort(moments)
    most = math.max(most, issuance.busiest_week(moments))
  end
  return most
end

local function list(house, what)
  return fakeca.ask(house._play, { what, "--state", house._dir })[what]
end

issuance.things = {
  certificates = { kind = "count", at_once = true, help = "so many it has issued over ACME" },
  orders = { kind = "count", at_once = true, help = "so many it was given" },
  in_a_week = { kind = "count", at_once = true, help = "at most so many for one set of names in any seven days",
    holds = function (found, most) return found <= most end },
}

local methods = {}

function methods:expect(given)
  authority.serving(self, "expect")
  expectation.of_thing(self._play, "the authority", issuance.things, {
    certificates = function () return #list(self, "certificates") end,
    orders = function () return #list(self, "orders") end,
    in_a_week = function () return for_one_set(list(self, "certificates")) end,
  }, given)
end

-- RFC 5280 section 5.3.1, those of a leaf.
local REASONS = { "keyCompromise", "affiliationChanged", "superseded", "cessationOfOperation", "privilegeWithdrawn" }

issuance.revoke_spec = {
  name = { "name", help = "what it issued over ACME for this name [all that it issued over ACME]" },
  after = { "span", default = "0s", help = "renewal information says so at once; done so long from now, on the "
    .. "calendar [0s]" },
  reason = { words.one_of(REASONS), help = "and why [none given]" },
  explanation = { "url", help = "a page that tells people why, which renewal information names [none]" },
}

-- What it has issued until now, and not what is issued later.
function methods:revoke(given)
  authority.serving(self, "revoke")
  local settings = words.check("revoke", issuance.revoke_spec, given or {})
  if self._play.dry then return end
  local argv = { "revoke", "--state", self._dir, "--after", settings.after }
  local function add(...) table.move({ ... }, 1, select("#", ...), #argv + 1, argv) end
  if settings.name then add("--name", settings.name) else add "--all" end
  if settings.reason then add("--reason", settings.reason) end
  if settings.explanation then add("--explanation", settings.explanation) end
  authority.tell(self, argv)
  self._play:effect(("the authority revokes what it issued%s, after %s"):format(
    settings.name and " for " .. settings.name or "", settings.after), flow.now())
end

issuance.methods = methods
issuance.verbs = {
  { "revoke", "house:revoke { ... }", "what it has issued is revoked; OCSP and CRLs say so when the time has come",
    issuance.revoke_spec },
  { "expect", "house:expect { ... }", "judges what it has issued", expectation.rules_of(issuance.things) },
}

return issuance
