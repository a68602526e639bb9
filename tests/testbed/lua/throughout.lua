-- What was on the wire while time passed, from what was seen of it now and then.
local throughout = require "throughout"

local DAY = 86400

local function wire_of(...)
  local wire = throughout.new_wire()
  for _, seen in ipairs { ... } do throughout.saw(wire, table.unpack(seen)) end
  return wire
end

local wire = wire_of({ "aa", 30 * DAY, 0 }, { "aa", 30 * DAY, 10 * DAY }, { "bb", 60 * DAY, 20 * DAY })
is({ wire.served, wire.left }, { 2, 10 * DAY }, "what was replaced was served until then: its end came so near")
is(throughout.least_left(wire), "10d, on 1970-01-21T00:00:00Z", "and this is when")
is(wire.ran_out, nil, "it did not run out")

wire = wire_of({ "aa", 30 * DAY, 29 * DAY }, { "bb", 60 * DAY, 31 * DAY })
is(wire.left, -DAY, "one that ran out between two looks was served expired, though nobody came just then")
is(throughout.least_left(wire), "-1d, on 1970-02-01T00:00:00Z", "so long")
is(wire.ran_out, "aa ran out at 1970-01-31T00:00:00Z, and was served until its successor came, by 1970-02-01T00:00:00Z",
  "and the report says so")

wire = wire_of({ "aa", 30 * DAY, 0 }, { "bb", 60 * DAY, DAY }, { "aa", 30 * DAY, DAY }, { "bb", 60 * DAY, DAY })
is(wire.served, 2, "an old worker that still answers after a reload is no rotation")

wire = wire_of({ "aa", 30 * DAY, 0 }, { nil, nil, DAY }, { "aa", 30 * DAY, 2 * DAY })
is({ wire.served, wire.left }, { 1, 28 * DAY }, "a handshake that brought no certificate tells nothing of it")
is(throughout.least_left(throughout.new_wire()), nil, "and nothing comes of nothing")

wire = wire_of({ "aa", 30 * DAY, 0 }, { "bb", 60 * DAY, 20 * DAY })
is(throughout.missed(wire, { rotations = 1, left = 10 * DAY, runs_out = false, success = 1 }), {}, "nothing is missed")
is(throughout.missed(wire, { rotations = 2, left = 11 * DAY, runs_out = true }), {
  "rotations: 1, expected 2 or more", "left: 10d, on 1970-01-21T00:00:00Z, expected 11d or more",
  "runs_out: false, expected true",
}, "all that is missed is told")
is(throughout.missed(throughout.new_wire(), { left = -DAY }), { "left: no certificate was seen, expected -1d or more" },
  "what was not seen is missed, too")
