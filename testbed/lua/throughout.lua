-- throughout: what clients see while time passes.  After every step of it one class of
-- them tries to get in, so that each has tried at least once a virtual day; what they were
-- served is remembered: how often it changed, and how near to its end it was.

local calendar = require "calendar"
local host = require "host"
local passage = require "passage"

local throughout = {}

local DAY = 86400

-- Counts of outcomes by class, each with the first answer that was not wanted.
local function new_watch(fleet, wanted)
  local watch = { fleet = fleet, wanted = wanted, classes = {}, seen = {}, served = 0, left = math.huge, next = 1 }
  for i, who in ipairs(fleet._classes) do
    watch.classes[i] = { who = who, counts = {}, sum = 0, looked = -math.huge, wrong = nil }
  end
  return watch
end

local function remember(watch, answer)
  local serial = answer.chain and answer.chain[1]
  if not serial then return end
  if not watch.seen[serial] then -- right after a reload an old worker may still answer
    watch.seen[serial], watch.served = true, watch.served + 1
  end
  local left = type(answer["until"]) == "number" and answer["until"] - answer.now
  if left and left < watch.left then watch.left, watch.left_at = left, answer.now end
end

local function try(watch, class, now)
  local who, play = class.who, watch.fleet._play
  local before = play.page:now()
  local answer = who:try()
  if not who.fixed then
    calendar.prove(play, "client class " .. who.name, before, answer.now - who.skew, play.page:now())
  end
  class.looked, class.sum = now, class.sum + 1
  class.counts[answer.outcome] = (class.counts[answer.outcome] or 0) + 1
  if not watch.wanted(who.library)[answer.outcome] and not class.wrong then
    class.wrong = answer
    play:note("first failure while time passes", { class = who.name, answer = answer })
  end
  remember(watch, answer)
end

-- The class whose turn it is, and all that would not have tried for a day before the next step.
local function look(watch, now, step)
  for i, class in ipairs(watch.classes) do
    if i == watch.next or now + step - class.looked > DAY then try(watch, class, now) end
  end
  watch.next = watch.next % #watch.classes + 1
end

local function in_words(class)
  local parts = {}
  for outcome, count in pairs(class.counts) do parts[#parts + 1] = { outcome, count } end
  table.sort(parts, function (a, b) return a[2] > b[2] end)
  for i, part in ipairs(parts) do parts[i] = ("%s x%d"):format(part[1], part[2]) end
  local wrong = class.wrong
  if wrong then
    parts[#parts + 1] = ("first wrong at %s: %s: %s [%s]"):format(host.show_moment(wrong.now), wrong.outcome,
      wrong.words or "", wrong.code or "")
  end
  return table.concat(parts, "; ")
end

local function share(class, wanted)
  local hits = 0
  for outcome, count in pairs(class.counts) do
    if wanted[outcome] then hits = hits + count end
  end
  return hits / class.sum
end

local function verdict(watch, asked, steps)
  local met, classes = #watch.classes > 0, {}
  for i, class in ipairs(watch.classes) do
    classes[i] = { class = class.who.name, saw = in_words(class) }
    if share(class, watch.wanted(class.who.library)) < asked.least then met = false end
  end
  local rotations = math.max(0, watch.served - 1)
  if asked.rotations and rotations < asked.rotations then met = false end
  if asked.left and watch.left < asked.left then met = false end
  return met, {
    classes = classes, passed = passage.describe(asked.throughout, steps), rotations = rotations,
    least_left = watch.left_at and ("%s, on %s"):format(host.show_duration(math.floor(watch.left)),
      host.show_moment(watch.left_at)) or nil,
  }
end

-- Whether `asked` (of expectation.lua) is met, and what was seen.
function throughout.judge(fleet, asked)
  local play = fleet._play
  local watch = new_watch(fleet, asked.wanted)
  local before, proven = play.page:now(), play.page:now()
  local steps = passage.run(play, asked.throughout, asked.by, function (now)
    look(watch, now, now - before)
    before = now
    if now - proven < DAY then return end
    proven = now
    for _, aim in ipairs(play.targets) do aim:_prove_clock() end
  end)
  return verdict(watch, asked, steps)
end

return throughout
