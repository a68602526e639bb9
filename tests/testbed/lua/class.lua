-- What a client class knows of itself, from the ticks of its worker.
local class = require "class"

local function tick(generation, to, outcomes, serials)
  return { generation = generation, from = to - 0.05, to = to, in_flight = 0, outcomes = outcomes, serials = serials }
end

local function seen(count, first, last) return { count = count, first = first, last = last or first } end

local who = class.new("openssl", "openssl")
who:hear(tick(1, 10.05, { ok = seen(3, 10.01, 10.04) }, { aa = seen(3, 10.01) }))
local counts, sum = who:tally(0)
is({ counts, sum }, { { ok = 3 }, 3 }, "handshakes are counted by outcome")

who:mark(2)
is(select(2, who:tally(0)), 0, "a mark forgets what began before")
who:hear(tick(1, 10.10, { ok = seen(1, 10.06) }))
is(select(2, who:tally(0)), 0, "a latecomer of the old generation does not count")

who:hear(tick(2, 10.15, { expired = seen(2, 10.11, 10.14) }))
is({ who.first_bad, who.well }, { 10.11, false }, "the first failure is remembered")
who:hear(tick(2, 10.20, { ok = seen(1, 10.16), expired = seen(1, 10.17) }))
is({ who.first_good, who.well }, { 10.16, false }, "one success between failures is the first good, not the end")
who:hear(tick(2, 10.25, { ok = seen(2, 10.21, 10.24) }, { aa = seen(1, 10.21), bb = seen(1, 10.23) }))
is({ who.well_since, who.well }, { 10.21, true }, "well again is the first success after the last failure")
is(who:seen_since("bb", 10.2), 10.23, "a new leaf is noticed on the wire")
is(who:seen_since("aa", 10.2), nil, "an old one is not new again")
who:hear(tick(2, 10.30, { ok = seen(1, 10.26) }, { aa = seen(1, 10.26) }))
is(who:seen_since("aa", 10.2), 10.26, "unless it comes back, as in a rollback")

is(class.share({ ok = 3, expired = 1 }, 4, { ok = true }), 0.75, "a share is of all that ended")
is(class.share({}, 0, { ok = true }), 0, "the share of nothing is nothing")

who:mark(3)
who:hear { generation = 3, from = 11, to = 11.05, in_flight = 2, outcomes = { ok = seen(3, 11.01) } }
is(who:has_ended(3), false, "what is under way has not ended")
who:hear { generation = 4, from = 11.05, to = 11.1, in_flight = 5, outcomes = { ok = seen(9, 11.06) } }
who:hear { generation = 3, from = 11.05, to = 11.1, in_flight = 0, outcomes = { timeout = seen(2, 11.08) } }
is({ who:has_ended(3), who:has_ended(4) }, { true, false }, "until it has, generation by generation")
is({ who:tally(0, 3) }, { { ok = 3, timeout = 2 }, 5 }, "a stretch is counted without what began after it")
is(select(2, who:latest(11.07, 3)), 11, "the latest are those since a moment")
is(select(2, who:latest(12, 3)), 11, "and more, where those are too few")
