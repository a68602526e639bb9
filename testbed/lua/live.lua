-- A line per running scenario on a terminal, redrawn in place; nothing elsewhere.

local flow = require "flow"
local host = require "host"

local Live = {}
Live.__index = Live

local live = {}

local EVERY = 0.1

function live.new()
  return setmetatable({ on = host.is_terminal(2), plays = {}, drawn = 0, last = 0 }, Live)
end

function Live:add(play)
  if self.on then table.insert(self.plays, play) end
end

function Live:remove(play)
  self:hide()
  for i, other in ipairs(self.plays) do
    if other == play then table.remove(self.plays, i) end
  end
end

-- Makes room for other output.
function Live:hide()
  if self.drawn == 0 then return end
  io.stderr:write(("\27[1A\27[2K"):rep(self.drawn))
  self.drawn = 0
end

local function state_of(who)
  if who.well then return "ok" end
  local latest, when
  for outcome in pairs(who.samples) do
    local sample = who.samples[outcome]
    if outcome ~= "ok" and (not when or (sample.ended or 0) > when) then latest, when = outcome, sample.ended or 0 end
  end
  return latest or "failing"
end

local function line_of(play, columns)
  local parts = {}
  for _, fleet in ipairs(play.fleets) do
    for _, who in ipairs(fleet._classes) do parts[#parts + 1] = who.name .. " " .. state_of(who) end
  end
  local text = ("%s | %s | %s | %s"):format(play.page and host.show_moment(play.page:now()):sub(1, 10) or "",
    play.title or play.path, play.section or "setting the stage", table.concat(parts, ", "))
  return text:sub(1, columns - 1)
end

function Live:changed()
  if not self.on or flow.now() - self.last < EVERY then return end
  self.last = flow.now()
  self:hide()
  local columns = host.columns(2)
  for _, play in ipairs(self.plays) do io.stderr:write(line_of(play, columns), "\n") end
  self.drawn = #self.plays
end

return live
