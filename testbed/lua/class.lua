-- A client class: all clients of one library in one fleet, and what became of
-- their handshakes.  Pure bookkeeping over the worker's ticks; times are CLOCK_MONOTONIC
-- seconds of when a handshake ended.

local Class = {}
Class.__index = Class

local class = {}

function class.new(name, library)
  return setmetatable({
    name = name, library = library,
    generation = 0,    -- handshakes begun in an older one do not count any more
    ticks = {},        -- since the last mark
    under_way = {},    -- generation -> how many of it have not ended
    heard_until = 0,   -- end of the last tick
    well = true,       -- the last handshake got in
    first_bad = false,
    last_bad = false,
    first_good = false, -- first success after first_bad
    well_since = false, -- first success after last_bad
    wire = {},         -- { serial, at }: each time another leaf began to be served
    samples = {},      -- outcome -> one full answer
    skipped = 0,       -- arrivals since the mark that the worker could not keep up with
  }, Class)
end

local function each_bad(tick)
  local first, last, count = nil, nil, 0
  for outcome, result in pairs(tick.outcomes) do
    if outcome ~= "ok" and result.count > 0 then
      first = math.min(first or result.first, result.first)
      last = math.max(last or result.last, result.last)
      count = count + result.count
    end
  end
  return first, last, count
end

local function follow_health(self, tick)
  local bad_first, bad_last = each_bad(tick)
  local ok = tick.outcomes.ok
  if bad_first then
    self.first_bad = self.first_bad or bad_first
    self.last_bad = math.max(self.last_bad or bad_last, bad_last)
    self.well, self.well_since = false, false
  end
  if not ok or ok.count == 0 or not self.first_bad then return end
  local function after(moment)
    return ok.first > moment and ok.first or ok.last > moment and ok.last or false
  end
  self.well_since = self.well_since or after(self.last_bad)
  -- lines of two generations may come out of order
  self.first_good = math.min(self.first_good or math.huge, after(self.first_bad) or math.huge,
    self.well_since or math.huge)
  if self.first_good == math.huge then self.first_good = false end
  self.well = self.well_since and true or self.well
end

-- Within a tick the serials are taken in the order in which they were first seen.
local function follow_wire(self, serials)
  local order = {}
  for serial, seen in pairs(serials) do order[#order + 1] = { serial, seen.first } end
  table.sort(order, function (a, b) return a[2] < b[2] end)
  for _, seen in ipairs(order) do
    local current = self.wire[#self.wire]
    if not current or current[1] ~= seen[1] then table.insert(self.wire, seen) end
  end
end

-- When a leaf began to be served, after a moment; nil if it did not.
function Class:seen_since(serial, moment)
  for _, seen in ipairs(self.wire) do
    if seen[1] == serial and seen[2] > moment then return seen[2] end
  end
end

-- A tick from the worker.
function Class:hear(tick)
  self.heard_until = math.max(self.heard_until, tick.to)
  self.under_way[tick.generation] = tick.in_flight > 0 and tick.in_flight or nil
  self.skipped = self.skipped + (tick.skipped or 0)
  follow_wire(self, tick.serials or {})
  for _, sample in ipairs(tick.samples or {}) do
    self.samples[sample.outcome] = sample
  end
  follow_health(self, tick)
  if tick.generation >= self.generation then self.ticks[#self.ticks + 1] = tick end
end

-- One of them tries to get in, now: a worker's answer.
function Class:try()
  local request = {}
  for key, value in pairs(self.connection) do request[key] = value end
  return self.worker:probe(request)
end

-- From now on only handshakes begun in `generation` or later count.
function Class:mark(generation)
  self.generation = generation
  self.ticks = {}
  self.skipped = 0
end

-- Another fleet of the worker's takes over, whose generations begin at 0.
function Class:begin_anew()
  self:mark(0)
  self.under_way = {}
end

-- Whether all that began in a generation, or before, has ended.
function Class:has_ended(generation)
  for open in pairs(self.under_way) do
    if open <= generation then return false end
  end
  return true
end

-- A new story begins: what was wrong before is no part of the way back.
function Class:forget()
  self.first_bad, self.last_bad, self.first_good, self.well_since = false, false, false, false
end

-- Adds a tick's counts to others; the new sum.
local function add(counts, sum, tick)
  for outcome, result in pairs(tick.outcomes) do
    counts[outcome] = (counts[outcome] or 0) + result.count
    sum = sum + result.count
  end
  return sum
end

-- What happened in ticks that ended after `since`, and of at most generation `last` if that is given:
-- counts by outcome, and their sum.
function Class:tally(since, last)
  local counts, sum = {}, 0
  for _, tick in ipairs(self.ticks) do
    if tick.to > since and tick.generation <= (last or tick.generation) then sum = add(counts, sum, tick) end
  end
  return counts, sum
end

-- The newest that happened: ticks back to `since`, and further where those hold fewer than `fewest`.
function Class:latest(since, fewest)
  local counts, sum = {}, 0
  for i = #self.ticks, 1, -1 do
    local tick = self.ticks[i]
    if tick.to <= since and sum >= fewest then break end
    sum = add(counts, sum, tick)
  end
  return counts, sum
end

-- The share of a tally that had one of the wanted outcomes.
function class.share(counts, sum, wanted)
  local hits = 0
  for outcome, count in pairs(counts) do
    if wanted[outcome] then hits = hits + count end
  end
  return sum > 0 and hits / sum or 0
end

return class
