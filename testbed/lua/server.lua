-- server: the process behind a target, as adapters (testbed/targets/NAME.lua) start it, hear it, reload it and end it.
-- `self` is the target.  What the process says comes to its adapter line by line; what an adapter makes of
-- that it puts into a mailbox, and whoever waits for it takes it from there.

local files = require "files"
local flow = require "flow"
local host = require "host"
local words = require "words"

local server = {}

-- For kinds that staple by themselves, among their extra keys.
server.stapling = { "flag", default = false, help = "asks the OCSP responder, and staples what it says [false]" }

-- Whether it is to obtain its first certificate when it is started now.
function server.has_none(self)
  return self._acme and not files.is_directory(self._dir .. "/" .. self._adapter.store)
end

-- Where it shall listen: on a stage of its own at HTTPS's own port, each target at an address of its
-- own under its own name; else at a port of 127.0.0.1 that is free.
function server.listen_address(self)
  local play = self._play
  if play.isolation ~= "isolated" then return "127.0.0.1:" .. play:must(host.free_port()) end
  local address = "127.0.0." .. self._number
  play:add_host(address, self._name)
  return address .. ":443"
end

local GRACE = 5      -- seconds for a signal that is not the last that is tried
local SAID = 5       -- last lines kept, to tell why it did not start
local LAST_WORDS = 1 -- seconds that they may come after its end: whom it has left behind may hold the pipe for ever

-- Starts its process, and calls `take(line)` for every line that it says and `gone(why)` when it has
-- ended; its words are in the journal, the last of them in server.said(self).
function server.run(self, argv, take, gone, dir)
  local play, said = self._play, {}
  local process = play:start_process(argv, { clock = self._clock, dir = dir or self._dir, env = self._env })
  local open, waiter = 0, nil
  local function follow(next_line)
    open = open + 1
    play:spawn_flow(function ()
      for line in function () return next_line(process) end do
        play:note("said", { who = self._name, text = line })
        table.insert(said, line)
        if #said > SAID then table.remove(said, 1) end
        take(line)
      end
      open = open - 1
      if waiter then flow.wake(waiter) end
    end)
  end
  self._process, self._said, self._ended = process, said, nil
  follow(process.out)
  follow(process.err)
  play:spawn_flow(function ()
    local ending = process:wait()
    self._ended = ending.error or "it is not running any more"
    local till = flow.now() + LAST_WORDS
    waiter = flow.self()
    while open > 0 and flow.now() < till do flow.park(till - flow.now()) end
    waiter = nil
    play:note("ended", { who = self._name, ending = ending })
    gone(ending.error or "it ended with " .. (ending.code and "status " .. ending.code or "signal " .. ending.signal))
  end)
end

function server.said(self)
  return #self._said > 0 and table.concat(self._said, " | ") or "it said nothing"
end

server.PATIENCE = 60 -- seconds that a server may take to start, to reload or to end

-- Where it listens, if it came up: `state` is "serving" then.  Else the play ends with `why`, where the adapter has
-- understood what it "refused", and with the last that it said where not.
function server.came_up(self, state, why)
  if state == "serving" then return self._state.listen end
  if state ~= "refused" or not why then why = ("%s; %s"):format(why or "no word in time", server.said(self)) end
  return words.environment("target %s did not start: %s", self._name, why)
end

-- How a reload ended that was asked for by a signal: the news in self._state.box is "serving", or another and why.
function server.reload_by(self, signal)
  if self._ended then return "refused", self._ended end
  local box = self._state.box
  box:clear()
  self._process:signal(signal)
  local state, why = box:take(server.PATIENCE)
  if not state then words.environment("target %s did not answer SIG%s", self._name, signal) end
  return state == "serving" and "done" or "refused", why
end

-- What is left of a server whose main process was killed: workers hold its port.  They are nobody's children, so
-- there is no event to wait for.
local function end_orphans(self)
  local group = "-- -" .. self._process:pid()
  local kill = ("kill -s KILL %s; while kill -s 0 %s; do sleep 0.01; done"):format(group, group)
  self._play:command { "/bin/sh", "-c", kill }
end

-- The signals are tried one after the other, as init systems do; the last of them has to end it.
function server.stop(self, ...)
  if self._ended then return end_orphans(self) end
  local signals = { ... }
  for i, signal in ipairs(signals) do
    self._process:signal(signal)
    if self._process:wait(i < #signals and GRACE or server.PATIENCE) then return end
  end
  words.environment("target %s does not end on SIG%s", self._name, signals[#signals])
end

-- A place where one flow waits for the target to say something, and its reader puts it.
function server.mailbox()
  local box = { waiter = false, news = {} }
  function box:put(...)
    table.insert(self.news, { ... })
    if self.waiter then flow.wake(self.waiter) end
  end
  function box:clear() self.news = {} end
  function box:take(patience)
    local deadline = flow.now() + patience
    while #self.news == 0 and flow.now() < deadline do
      self.waiter = flow.self()
      flow.park(deadline - flow.now())
      self.waiter = false
    end
    local first = table.remove(self.news, 1)
    if first then return table.unpack(first) end
  end
  return box
end

return server
