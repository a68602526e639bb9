-- Certificates held against rate limits: how many of one set in any seven days.
local issuance = require "issuance"

local function on_days(...)
  local moments = {}
  for i, day in ipairs { ... } do moments[i] = day * 86400 end
  return issuance.busiest_week(moments)
end

is(on_days(), 0, "none of none")
is(on_days(0, 10, 20), 1, "far apart")
is(on_days(0, 6, 7, 13), 2, "seven days are over when the seventh has passed")
is(on_days(0, 1, 30, 31, 32, 60), 3, "the busiest counts, not the first")

local limit = issuance.things.in_a_week
is({ limit.holds(5, 5), limit.holds(4, 5), limit.holds(6, 5) }, { true, true, false }, "a limit may be reached")
