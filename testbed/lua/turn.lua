-- turn: what only one flow at a time may do; the others wait in line.

local flow = require "flow"

local Turn = {}
Turn.__index = Turn

local turn = {}

function turn.new()
  return setmetatable({ line = {} }, Turn)
end

-- Waits until it is this flow's turn, calls `act` and hands on; what `act` returns.
function Turn:take(act, ...)
  local me = flow.self()
  table.insert(self.line, me)
  while self.line[1] ~= me do flow.park() end
  local results = table.pack(pcall(act, ...))
  table.remove(self.line, 1)
  if self.line[1] then flow.wake(self.line[1]) end
  if not results[1] then error(results[2], 0) end
  return table.unpack(results, 2, results.n)
end

return turn
