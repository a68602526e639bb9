-- command: any server at all.  The scenario says how it starts, where it listens
-- and how it is told to reload; these words stand for the rehearsal's own:
--
--   {chain} {key}  the files it serves       {pem}      both in one file, as HAProxy wants it
--   {address}      where it shall listen     {host} {port}   the same in two
--   {name}         its name                  {dir}      a directory of its own
--
--     target { "command", name = "shop.test", certificate = house:issue {},
--              start = "myserver --listen {address} --cert {chain} --key {key}", reload = "HUP" }

local flow = require "flow"
local target = require "target"
local words = require "words"
local worker = require "worker"

local SIGNALS = { HUP = true, USR1 = true, USR2 = true }
local PATIENCE = 10

local command = {
  summary = "your own server: how it starts, where it listens, how it reloads",
  reads_clock = true,
  extra = {
    start = { "text", help = "the command that starts it in the foreground" },
    listens = { "text", help = "where it listens, if it will not listen on {address}" },
    reload = { "text", help = "HUP, USR1, USR2, or a command that makes it reload" },
    check = { "text", help = "a command that fails where a cold start would" },
  },
}

function command.declare(self)
  if not self._settings.start then
    words.mistake("target: 'start' is missing; expected the command that starts the server")
  end
end

local function filled(self, text)
  local name, port = self._state.listen:match "^(.*):(%d+)$"
  local values = {
    chain = self._live .. "/chain.pem", key = self._live .. "/key.pem", pem = self._live .. "/combined.pem",
    address = self._state.listen, host = name, port = port, name = self._name, dir = self._dir,
  }
  return (text:gsub("{(%a+)}", values))
end

function command.configure(self)
  if not self._state.listen then
    self._state.listen = self._settings.listens or target.listen_address(self)
  end
end

-- Whether somebody answers there yet: a real connection, tried until one is not refused.
local function wait_for_listener(self)
  local deadline = flow.now() + PATIENCE
  repeat
    local answer = worker.of(self._play, "openssl"):probe {
      connect = self._state.listen, name = self._name, verify = false, timeout = "2s",
    }
    if answer.outcome ~= "refused" then return true end
    if self._process:wait(0.05) then return false end
  until flow.now() > deadline
  return false
end

function command.start(self)
  target.run(self, { "/bin/sh", "-c", "exec " .. filled(self, self._settings.start) }, function () end,
    function () end)
  if not wait_for_listener(self) then
    words.environment("target %s did not start listening on %s: %s", self._name, self._state.listen,
      target.said(self))
  end
  return self._state.listen
end

function command.reload(self)
  local how = self._settings.reload
  if not how then return "refused", "this target was given no way to reload" end
  if SIGNALS[how] then
    self._process:signal(how)
    return "done"
  end
  local ending, _, err = self._play:command({ "/bin/sh", "-c", filled(self, how) }, { on_calendar = true })
  return ending.code == 0 and "done" or "refused", err
end

function command.check(self)
  local how = self._settings.check
  if not how then words.environment("target %s was given no 'check' command", self._name) end
  local ending, _, err = self._play:command({ "/bin/sh", "-c", filled(self, how) }, { on_calendar = true })
  return ending.code == 0 and "works" or "fails", err
end

function command.stop(self)
  target.stop(self, "TERM")
end

return command
