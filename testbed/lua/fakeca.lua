-- fakeca: how the vocabulary runs the program of that name, which does all that concerns
-- certificates.

local json = require "json"
local words = require "words"

local fakeca = {}

-- Runs it to its end; what it printed.
function fakeca.run(play, argv)
  local command = { play.run.options.programs .. "/fakeca", table.unpack(argv) }
  local ending, out, err = play:command(command)
  if ending.code ~= 0 then
    words.environment("fakeca %s: %s", argv[1], ending.error or (err ~= "" and err or "ended badly"))
  end
  return out
end

-- The same where it answers with JSON.
function fakeca.ask(play, argv)
  local answer, why = json.decode(fakeca.run(play, argv))
  if answer == nil then words.environment("fakeca %s: %s", argv[1], why) end
  return answer
end

-- Now, as its options take a time.
function fakeca.now(play, later)
  return ("@%d"):format(math.floor(play.page:now() + (later or 0)))
end

return fakeca
