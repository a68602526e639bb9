-- throughout: what clients see while time passes.  After every step of it one class of
-- them tries to get in, so that each has tried at least once a virtual day; what they were
-- served is remembered: how often it changed, and how near to its end it was.
--
-- Who looks after a step sees what was renewed in it.  So what was served until then counts as served to
-- the end of the step, too: a certificate that ran out before it was replaced was served expired, though
-- nobody came just then.

local calendar = require "calendar"
local class = require "class"
local host = require "host"
local passage = require "passage"

local throughout = {}

local DAY = 86400

-- --- what is on the wire --------------------------------------------------------------------------

function throughout.new_wire()
  return { seen = {}, served = 0, left = math.huge, left_at = nil, current = nil, ran_out = nil }
end

local function nearest(wire, left, now)
  if left < wire.left then wire.left, wire.left_at = left, now end
end

-- The one before, which was served until now at the latest.
local function replaced(wire, now)
  local old = wire.current
  nearest(wire, old.ends - now, now)
  if old.ends < now then
    wire.ran_out = wire.ran_out or ("%s ran out at %s, and was served until its successor came, by %s"):format(
      old.serial, host.show_moment(old.ends), host.show_moment(now))
  end
end

-- At `now` this certificate was seen, which ends at `ends`; or none.
function throughout.saw(wire, serial, ends, now)
  if not serial or type(ends) ~= "number" then return end
  if wire.current and wire.current.serial ~= serial then replaced(wire, now) end
  if not wire.seen[serial] then -- right after a reload an old worker may still answer
    wire.seen[serial], wire.served = true, wire.served + 1
  end
  wire.current = { serial = serial, ends = ends }
  nearest(wire, ends - now, now)
end

local function signed(seconds)
  return (seconds < 0 and "-" or "") .. host.show_duration(math.abs(seconds))
end

-- "15d10h, on 2027-01-01T00:00:00Z", or nil where nothing was seen.
function throughout.least_left(wire)
  if not wire.left_at then return nil end
  return ("%s, on %s"):format(signed(math.floor(wire.left)), host.show_moment(wire.left_at))
end

-- --- who looks ------------------------------------------------------------------------------------

-- Counts of outcomes by class, each with the first answer that was not wanted.
local function new_watch(fleet, wanted)
  local watch = { fleet = fleet, wanted = wanted, classes = {}, next = 1, wire = throughout.new_wire() }
  for i, who in ipairs(fleet._classes) do
    watch.classes[i] = { who = who, counts = {}, sum = 0, looked = -math.huge, wrong = nil }
  end
  return watch
end

local function see(watch, answer, now)
  throughout.saw(watch.wire, answer.chain and answer.chain[1], answer["until"], now)
end

local function try(watch, one, now)
  local who, play = one.who, watch.fleet._play
  local before = play.page:now()
  local answer = who:try()
  if not who.fixed then
    calendar.prove(play, "client class " .. who.name, before, answer.now - who.skew, play.page:now())
  end
  one.looked, one.sum = now, one.sum + 1
  one.counts[answer.outcome] = (one.counts[answer.outcome] or 0) + 1
  if not watch.wanted(who.library)[answer.outcome] and not one.wrong then
    one.wrong = answer
    play:note("first failure while time passes", { class = who.name, answer = answer })
  end
  see(watch, answer, before)
end

-- The class whose turn it is, and all that would not have tried for a day before the next step.
local function look(watch, now, step)
  for i, one in ipairs(watch.classes) do
    if i == watch.next or now + step - one.looked > DAY then try(watch, one, now) end
  end
  watch.next = watch.next % #watch.classes + 1
end

local function in_words(one)
  local parts = {}
  for outcome, count in pairs(one.counts) do parts[#parts + 1] = { outcome, count } end
  table.sort(parts, function (a, b) return a[2] > b[2] end)
  for i, part in ipairs(parts) do parts[i] = ("%s x%d"):format(part[1], part[2]) end
  local wrong = one.wrong
  if wrong then
    parts[#parts + 1] = ("first wrong at %s: %s: %s [%s]"):format(host.show_moment(wrong.now), wrong.outcome,
      wrong.words or "", wrong.code or "")
  end
  return table.concat(parts, "; ")
end

-- What was expected of what was served, and was not so.
function throughout.missed(wire, asked)
  local missed = {}
  local function expected(met, format, ...)
    if not met then missed[#missed + 1] = format:format(...) end
  end
  local rotations, ran_out = math.max(0, wire.served - 1), wire.left < 0
  expected(rotations >= (asked.rotations or 0), "rotations: %d, expected %d or more", rotations, asked.rotations)
  expected(not asked.left or wire.left_at and wire.left >= asked.left, "left: %s, expected %s or more",
    throughout.least_left(wire) or "no certificate was seen", asked.left and signed(asked.left))
  expected(asked.success ~= 1 or not ran_out, "what was served ran out, expected that it would not")
  expected(asked.runs_out == nil or asked.runs_out == ran_out, "runs_out: %s, expected %s", ran_out, asked.runs_out)
  return missed
end

local function verdict(watch, asked, passed)
  local classes, wire = {}, watch.wire
  local missed = throughout.missed(wire, asked)
  for i, one in ipairs(watch.classes) do
    classes[i] = { class = one.who.name, saw = in_words(one) }
    local share = class.share(one.counts, one.sum, watch.wanted(one.who.library))
    if share < asked.least then
      table.insert(missed, ("%s: %.0f of %d, expected %g%%"):format(one.who.name, share * one.sum, one.sum,
        asked.least * 100))
    end
  end
  return #missed == 0, {
    classes = classes, passed = passage.describe(passed), rotations = math.max(0, wire.served - 1),
    renewals = passed.deeds, least_left = throughout.least_left(wire), ran_out = wire.ran_out,
    missed = #missed > 0 and table.concat(missed, "; ") or nil,
  }
end

-- Whether `asked` (of expectation.lua) is met, and what was seen.
function throughout.judge(fleet, asked)
  local play = fleet._play
  local watch = new_watch(fleet, asked.wanted)
  local before, proven = play.page:now(), play.page:now()
  see(watch, watch.classes[1].who:try(), before) -- it may be replaced in the first step
  local passed = passage.run(play, asked.throughout, asked.by, function (now)
    look(watch, now, now - before)
    before = now
    if now - proven < DAY then return end
    proven = now
    for _, aim in ipairs(play.targets) do aim:_prove_clock() end
  end)
  return verdict(watch, asked, passed)
end

return throughout
