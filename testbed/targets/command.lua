-- command: any server at all.  The scenario says how it starts, where it listens
-- and how it is told to reload; these words stand for the rehearsal's own:
--
--   {chain} {key}  the files it serves       {pem}      both in one file, as HAProxy wants it
--   {address}      where it shall listen     {host} {port}   the same in two
--   {name}         its name                  {dir}      a directory of its own
--
-- Commands run in the scenario's directory.  The one that starts it is a program with its arguments, and
-- may have variables before it: PEM={pem} haproxy -W -db -f my.cfg
--
--     target { "command", name = "shop.test", certificate = house:issue {},
--              start = "myserver --listen {address} --cert {chain} --key {key}", reload = "HUP" }

local external = require "targets.external"
local files = require "files"
local flow = require "flow"
local placeholders = require "placeholders"
local server = require "server"
local words = require "words"
local worker = require "worker"

local SIGNALS = { HUP = true, USR1 = true, USR2 = true }
local PLACEHOLDERS = { "chain", "key", "pem", "address", "host", "port", "name", "dir" }
local PATIENCE = 60

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
  local settings = self._settings
  if not settings.start then
    words.mistake("target: 'start' is missing; expected the command that starts the server")
  end
  if settings.listens then external.check_address(self, settings.listens) end
  for _, key in ipairs { "start", "reload", "check" } do
    if settings[key] then placeholders.check("target: " .. key, settings[key], PLACEHOLDERS) end
  end
  if settings.reload and settings.reload:find "^%u%w*$" and not SIGNALS[settings.reload] then
    words.mistake("target: reload: SIG%s is none of HUP, USR1 and USR2", settings.reload)
  end
end

local function filled(self, text)
  local name, port = self._state.listen:match "^(.*):(%d+)$"
  local values = {
    chain = self._live .. "/chain.pem", key = self._live .. "/key.pem", pem = self._live .. "/combined.pem",
    address = self._state.listen, host = name, port = port, name = self._name, dir = self._dir,
  }
  return placeholders.fill(text, values)
end

-- The shell's words for this text, and the directory to say them in.
local function shell(self, text)
  return { "/bin/sh", "-c", filled(self, text) }, files.directory_of(self._play.path)
end

-- The shell becomes the server, which is put on the calendar itself: it need not be made like the shell.
local function command_line(self)
  local argv = self._play:on_clock(self._clock, {})
  for i, word in ipairs(argv) do argv[i] = placeholders.word(word) end
  local start = self._settings.start
  if start:find "^[%a_][%w_]*=" then argv[#argv + 1] = "env" end -- variables, which come before a program
  return shell(self, "exec " .. table.concat(argv, " ") .. " " .. start)
end

function command.configure(self)
  if not self._state.listen then
    self._state.listen = self._settings.listens or server.listen_address(self)
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
  local argv, dir = command_line(self)
  server.run(self, argv, function () end, function () end, dir)
  if not wait_for_listener(self) then
    words.environment("target %s did not start listening on %s: %s", self._name, self._state.listen,
      server.said(self))
  end
  return self._state.listen
end

function command.reload(self)
  local how = self._settings.reload
  if not how then return "refused", "this target was given no way to reload" end
  if self._ended then return "refused", self._ended end
  if SIGNALS[how] then
    self._process:signal(how)
    return "done"
  end
  local argv, dir = shell(self, how)
  local ending, _, err = self._play:command(argv, { clock = self._clock, dir = dir })
  return ending.code == 0 and "done" or "refused", err
end

function command.check(self)
  local how = self._settings.check
  if not how then words.environment("target %s was given no 'check' command", self._name) end
  local argv, dir = shell(self, how)
  local ending, _, err = self._play:command(argv, { clock = self._clock, dir = dir })
  if not ending.code or ending.code >= 126 then
    words.environment("target %s: its check cannot be run: %s", self._name, err)
  end
  return ending.code == 0 and "works" or "fails", err
end

function command.stop(self)
  server.stop(self, "TERM")
end

return command
