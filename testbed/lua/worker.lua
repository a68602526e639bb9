-- A worker: one client program that makes every handshake of a library in this
-- play, spoken to in JSON lines (docs/worker-protocol.md).

local flow = require "flow"
local host = require "host"
local json = require "json"
local words = require "words"

local PROTOCOL = 1
local PATIENCE = 60 -- seconds for an answer that needs no network

local Worker = {}
Worker.__index = Worker

local worker = {}

worker.libraries = { "openssl", "gnutls", "wolfssl" }

local function ended(self)
  local ending = self.child:wait()
  local how = ending.error or ending.signal and "killed by signal " .. ending.signal
    or "exit status " .. ending.code
  return ("client-%s ended (%s) %s"):format(self.library, how, table.concat(self.said, " | "))
end

local function dispatch(self, line)
  local message, why = json.decode(line)
  if type(message) ~= "table" then
    words.environment("client-%s: %s: %.200s", self.library, why or "not an object", line)
  end
  local waiter = self.waiting[message.id]
  if waiter then
    self.waiting[message.id] = nil
    flow.wake(waiter, message)
  elseif self.streams[message.id] then
    self.streams[message.id](message)
  elseif message.error then
    words.environment("client-%s: %s", self.library, message.error)
  end
end

local function read_all(self)
  for line in function () return self.child:out() end do dispatch(self, line) end
  if not self.closing then words.environment("%s", ended(self)) end
end

local function listen_to_errors(self)
  for line in function () return self.child:err() end do
    table.insert(self.said, line)
    if #self.said > 5 then table.remove(self.said, 1) end
    self.play:note("said", { who = "client-" .. self.library, text = line })
  end
end

-- The play's worker for a library, started when first asked for.
function worker.of(play, library)
  if play.workers[library] then return play.workers[library] end
  local self = setmetatable({
    play = play, library = library, said = {}, waiting = {}, streams = {}, last_id = 0, closing = false,
  }, Worker)
  self.child = play:start_process({ play.run.options.programs .. "/client-" .. library, "--worker" }, { input = true })
  play.workers[library] = self
  play:on_close(function ()
    self.closing = true
    self.child:finish()
  end)
  play:spawn_flow(function () listen_to_errors(self) end)
  local line = self.child:out(PATIENCE)
  if line == false then
    words.environment("client-%s said nothing for %s", library, host.show_duration(PATIENCE))
  end
  local hello = line and json.decode(line)
  if not hello or hello.hello ~= "rehearse-worker" then words.environment("%s", ended(self)) end
  if hello.protocol ~= PROTOCOL then
    words.environment("client-%s speaks protocol %s, expected %d", library, tostring(hello.protocol), PROTOCOL)
  end
  play:note("worker", { library = library, version = hello.version, features = hello.features })
  play:spawn_flow(function () read_all(self) end)
  return self
end

-- Sends a request and waits for its first answer, which it returns.
function Worker:ask(request, patience)
  self.last_id = self.last_id + 1
  request.id = self.last_id
  self.waiting[request.id] = flow.self()
  self.child:send(json.encode(request) .. "\n")
  local woken, answer = flow.park(patience or PATIENCE)
  self.waiting[request.id] = nil
  if not woken then words.environment("client-%s did not answer '%s' within %s", self.library,
    request["do"], host.show_duration(patience or PATIENCE)) end
  if answer.error then words.environment("client-%s: %s", self.library, answer.error) end
  return answer
end

-- Further messages with this id, such as a fleet's ticks, go to `handler`.
function Worker:stream(id, handler)
  self.streams[id] = handler
end

-- One handshake; `request` holds connection fields.
function Worker:probe(request)
  request["do"] = "probe"
  return self:ask(request, self.play:allowing(PATIENCE))
end

return worker
