-- What an authority that serves has issued: counted, and held against what real ones allow.

local authority = require "authority"
local expectation = require "expectation"
local fakeca = require "fakeca"

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

issuance.methods = methods
issuance.verbs = {
  { "expect", "house:expect { ... }", "judges what it has issued", expectation.rules_of(issuance.things) },
}

return issuance
