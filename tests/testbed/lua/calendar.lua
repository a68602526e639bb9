-- A participant that does not live on the calendar ends the play.
local calendar = require "calendar"
local words = require "words"

local noted
local play = { note = function (_, kind, facts) noted = { kind, facts.who } end }
local function prove(reading)
  local ok, why = pcall(calendar.prove, play, "nginx", 1000.5, reading, 1000.7)
  return ok or words.is_ending(why) and why.kind, tostring(why)
end

is(prove(1000), true, "an HTTP date is whole seconds")
is(prove(1002), true, "and may be a little late")
is(noted, { "clock read back", "nginx" }, "every reading is in the journal")
is(prove(900), "environment", "a clock that did not move is an error, not a pass")
is(prove(1100), "environment", "nor may one run ahead")
like(select(2, prove(900)), "nginx does not live on the calendar: it reads 1970", "and is told with its reading")
