local class = require "class"
local wayback = require "wayback"

local who = class.new("openssl", "openssl")
who.first_bad, who.last_bad, who.first_good, who.well_since = 100.012, 100.2, 100.3, 100.3
who.wire = { { "aa", 99 }, { "bb", 100.28 } }
local play = {
  fleets = { { _classes = { who, class.new("gnutls", "gnutls") } } },
  effects = {
    { at = 99.5, text = "renewal stops", section = "inject" },
    { at = 100.0, text = "the calendar jumps by 2d", section = "inject" },
    { at = 100.1, text = "later", section = "inject" },
    { at = 100.22, text = "renewal starts", section = "recover" },
  },
  phases = { { at = 99.9, what = "on disk", serial = "aa" }, { at = 100.25, what = "on disk", serial = "bb" } },
}
table.insert(play.phases, { at = 100.21, what = "detected" })
table.insert(play.phases, { at = 100.22, what = "renewal began" })
local report = wayback.of(play)
is(report.fault, "the calendar jumps by 2d", "the fault is the last thing done before the first failure")
local lines = wayback.lines(report)
like(lines[2], "first failure%s+detected%s+renewal began%s+on disk%s+on the wire%s+first good%s+well again$",
  "steps nobody took have no column, and there is room between two")
like(lines[3], "^openssl%s+12%s+210%s+220%s+250%s+280%s+300%s+300$", "milliseconds after the fault")
like(lines[4], "^gnutls%s+%-%s+%-%s+%-%s+%-%s+%-%s+%-%s+%-$", "a class that never failed has no times of its own")
like(lines[5], "begin after 220 ms; the last client class was well 80 ms later", "and how long recovery took")

who.first_bad = false
is(wayback.of(play), nil, "where nobody failed there is no way back")
