-- What an expectation makes of what workers tell: fleets here are told of, not run.
local class = require "class"
local expectation = require "expectation"
local flow = require "flow"
local words = require "words"

local patience, slack = expectation.patience, 1
expectation.patience = 0.5

-- A fleet of one class whose worker tells `story(n, newest generation)` in its n-th tick: outcomes, how many are
-- under way, of which generation (the newest), and whether it is heard only with the next.
local function fleet_telling(story, skipped)
  local who = class.new("openssl", "openssl")
  local generation, n = 0, 0
  local fleet = { _classes = { who }, _libraries = { "openssl" } }
  fleet._play = { dry = false, run = { outcomes = { ok = {}, expired = {}, timeout = {} } } }
  function fleet._play.settle() end
  function fleet._play.allowing(_, seconds) return seconds * slack end
  function fleet._play.point(_, _, met, details) fleet.met, fleet.details = met, details end
  function fleet._mark() generation = generation + 1 who:mark(generation) end
  function fleet._close() generation = generation + 1 return { generation - 1 } end
  function fleet:_next_tick()
    n = n + 1
    flow.park(0.01)
    local now = flow.now()
    local counts, under_way, of, late = story(n, generation)
    if not counts then return end
    local outcomes = {}
    for outcome, count in pairs(counts) do outcomes[outcome] = { count = count, first = now, last = now } end
    who:hear { generation = of or generation, from = now - 0.01, to = now, in_flight = under_way or 0,
      skipped = skipped or 0, outcomes = outcomes }
    if late then self:_next_tick() end
  end
  return fleet
end

local function met(story, asked, skipped)
  local fleet = fleet_telling(story, skipped)
  expectation.of_fleet(fleet, asked)
  return fleet.met, fleet.details
end

local function ok() return { ok = 2 } end
local function half() return { ok = 1, expired = 1 } end

is(met(ok, { success = "100%", during = "50ms" }), true, "all get in: met")
is(met(half, { success = "100%", during = "50ms" }), false, "half of them do not: not met")
is(met(half, { success = "50%", during = "50ms" }), true, "unless half is enough")
is(met(half, { success = "51%", during = "50ms" }), false, "which it is to the percent")
is(met(half, { outcome = "expired", share = "50%", within = "100ms" }), true, "a share of an outcome")
is(met(half, { outcome = { "ok", openssl = "expired" }, within = "100ms" }), false, "an outcome by library")

is(met(function (n) return n < 8 and { expired = 2 } or { ok = 2 } end, { success = "100%", within = "2s" }), true,
  "within: it may take a while")
-- Each look at what has settled finds it well, and each stretch after that one of them shut out.
local function relapsing(_, generation) return { ok = 1, expired = generation % 2 == 0 and 1 or nil } end
is(met(relapsing, { success = "100%", within = "300ms" }), false, "but must then stay so")

local function well_after_the_deadline(n)
  return n < 40 and { expired = 2 } or { ok = 2 }, 0, nil, n > 5 and n < 90
end
is(met(well_after_the_deadline, { success = "100%", within = "100ms" }), false,
  "a busy machine is heard late, and not forgiven what was after the deadline")

local _, details = met(function () return {} end, { success = "100%", within = "100ms" })
is(details.no_data, true, "nothing is no data")

-- a handshake that began in the stretch and is under way long after its end
local function hangs_until_tenth(ending)
  return function (n)
    if n < 10 then return { ok = 2 }, 1, 1 end
    return n == 10 and { [ending] = 1 } or {}, 0, 1
  end
end
is(met(hangs_until_tenth "ok", { success = "100%", during = "50ms" }), true, "what is slow is waited for")
is(met(hangs_until_tenth "timeout", { success = "100%", during = "50ms" }), false, "what hangs belongs to it")

is(met(ok, { success = "100%", during = "50ms" }, 9), true, "a worker that cannot keep up judges by what it sent")
_, details = met(half, { success = "100%", during = "50ms" }, 9)
is(details.no_data, false, "and finds what is wrong")
like(details.classes[1].saw, "more could not be begun in time", "and tells of the others")
is(met(function (n) return n < 20 and {} or { ok = 2 } end, { success = "100%", within = "100ms" }), true,
  "within: too little is no verdict yet")
local function late(n) return n < 20 and { expired = 2 } or { ok = 2 } end
is(met(late, { success = "100%", within = "100ms" }), false, "what is late is late")
slack = 10
is(met(late, { success = "100%", within = "100ms" }), true, "but on a machine that may take ten times as long")
slack = 1

local silent = fleet_telling(function (n) return n < 3 and { ok = 5 } or nil end)
local finished, why = pcall(expectation.of_fleet, silent, { success = "100%", during = "1s" })
is({ finished, words.is_ending(why) and why.kind }, { false, "environment" },
  "a worker that falls silent is no success")
expectation.patience = patience
