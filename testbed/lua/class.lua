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
    heard_until = 0,   -- end of the last tick
    well = true,       -- the last handshake got in
    first_bad = false,
    last_bad = false,
    first_good = false, -- first success after first_bad
    well_since = false, -- first success after last_bad
    wire = {},         -- { serial, at }: each time another leaf began to be served
    samples = {},      -- outcome -> one full answer
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
  self.first_good = self.first_good or after(self.first_bad)
  self.well_since = self.well_since or after(self.last_bad)
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
  follow_wire(self, tick.serials or {})
  for _, sample in ipairs(tick.samples or {}) do
    self.samples[sample.outcome] = sample
  end
  follow_health(self, tick)
  if tick.generation >= self.generation then self.ticks[#self.ticks + 1] = tick end
end

-- From now on only handshakes begun in `generation` or later count.
function Class:mark(generation)
  self.generation = generation
  self.ticks = {}
end

-- What happened in ticks that ended after `since`: counts by outcome, and their sum.
function Class:tally(since)
  local counts, sum = {}, 0
  for _, tick in ipairs(self.ticks) do
    if tick.to > since then
      for outcome, result in pairs(tick.outcomes) do
        counts[outcome] = (counts[outcome] or 0) + result.count
        sum = sum + result.count
      end
    end
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
