-- stdout is TAP and nothing else.  Plays that run side by side are told one after
-- the other: a play's lines are held back until it is its turn.

local host = require "host"
local json = require "json"

local Tap = {}
Tap.__index = Tap

local tap = { BROKEN_PIPE = 32 } -- errno(3) EPIPE: the reader has seen enough, as `head` has

function tap.new(version, live)
  return setmetatable({
    version = version, live = live,
    count = 0,                         -- points so far
    turn = false, queue = {},          -- the play that is being told, and those after it
    held = {},                         -- what they have to say
    lost = nil,                        -- why stdout does not take it
  }, Tap)
end

function Tap:start()
  if self.version == 14 then self:put "TAP version 14" else self:put "TAP version 13" end
end

function Tap:put(line)
  self.live:hide()
  local _, why, code = io.stdout:write(line, "\n")
  if not why then _, why, code = io.stdout:flush() end
  if why and code ~= tap.BROKEN_PIPE then self.lost = why end
end

local function escaped(text)
  return (text:gsub("%c", " "):gsub("\\", "\\\\"):gsub("#", "\\#"))
end

-- --- whose turn it is -------------------------------------------------------------------------

local function say(self, play, line)
  if play.dry then return end
  if self.turn == play then self:put(line) else table.insert(self.held[play], line) end
end

function Tap:begin(play)
  if play.dry then return end
  self.held[play] = {}
  table.insert(self.queue, play)
  if not self.turn then self:next_turn() end
  self:comment(play, ("scenario: %s [%s]"):format(play.title, play.path))
end

-- The number of a point is given when it is said, so that numbers rise down the page.
function Tap:next_turn()
  self.turn = table.remove(self.queue, 1) or false
  if not self.turn then return end
  local held = self.held[self.turn]
  self.held[self.turn] = nil
  for _, line in ipairs(held) do
    if type(line) == "function" then line() else self:put(line) end
  end
  if self.turn.over then self:next_turn() end
end

-- The play has said its last.
function Tap:finish(play)
  play.over = true
  if self.turn == play then self:next_turn() end
end

local function later(self, play, action)
  if self.turn == play then action() else table.insert(self.held[play], action) end
end

-- --- what is said -----------------------------------------------------------------------------

function Tap:comment(play, text)
  say(self, play, "# " .. text:gsub("\n", "\n# "))
end

local function yaml_of(details)
  local lines = { "  ---" }
  for _, seen in ipairs(details.classes or {}) do
    lines[#lines + 1] = ("  %s: %s"):format(seen.class, json.encode(seen.saw))
  end
  for _, key in ipairs { "found", "why", "passed", "rotations", "least_left", "ran_out",
    "renewals", "missed", "at" } do
    if details[key] then lines[#lines + 1] = ("  %s: %s"):format(key, json.encode(details[key])) end
  end
  if details.took then lines[#lines + 1] = ("  took: %s"):format(host.show_duration(details.took)) end
  if details.no_data then lines[#lines + 1] = "  message: no data: nothing was measured" end
  lines[#lines + 1] = "  ..."
  return table.concat(lines, "\n")
end

function Tap:point(play, point)
  later(self, play, function ()
    self.count = self.count + 1
    self:put(("%s %d - %s"):format(point.met and "ok" or "not ok", self.count, escaped(point.text)))
    if point.details then self:put(yaml_of(point.details)) end
  end)
end

function Tap:skip(play, text, reason)
  later(self, play, function ()
    self.count = self.count + 1
    self:put(("ok %d - %s # SKIP %s"):format(self.count, escaped(text), reason))
  end)
end

-- A play that ended in an error rather than in an expectation.
function Tap:broken(play, reason)
  later(self, play, function ()
    self.count = self.count + 1
    self:put(("not ok %d - %s: %s"):format(self.count, escaped(play.title or play.path), escaped(reason)))
  end)
end

function Tap:plan()
  self:put("1.." .. self.count)
end

function Tap:bail_out(reason)
  self:put("Bail out! " .. escaped(reason))
end

return tap
