-- builtin: target-builtin, the server that is there when no other is installed.

local host = require "host"
local json = require "json"
local target = require "target"
local words = require "words"

local builtin = {
  summary = "a small TLS server of its own: nothing to install, serves even what no other server would",
  reads_clock = true,
  extra = { exact = { "flag", default = false, help = "serves any bytes as they are, with any key [false]" } },
}

local PATIENCE = 10

local function config_file(self) return self._dir .. "/target.json" end

function builtin.configure(self)
  local config, play = self._config, self._play
  if not self._state.listen then self._state.listen = target.listen_address(play) end
  local settings = {
    listen = self._state.listen,
    log = self._dir .. "/handshakes.jsonl",
    hosts = json.array { {
      name = self._name, chain = self._live .. "/chain.pem", key = self._live .. "/key.pem",
      staple = self._state.staple and self._live .. "/staple.der" or nil,
    } },
    min_version = config.min_version or nil, max_version = config.max_version or nil,
    ciphers = config.ciphers or nil, groups = config.groups or nil,
    exact = self._settings.exact or nil,
  }
  if config.client_ca then
    settings.client_ca = config.client_ca._dir .. "/root.pem"
    settings.client_auth = "require"
  end
  play:must(host.write(config_file(self), json.encode(settings)))
end

function builtin.start(self)
  local play = self._play
  self._process = play:start_process({ play.run.options.programs .. "/target-builtin", "--config", config_file(self) },
    { on_calendar = true })
  local box, said = target.mailbox(), {}
  self._state.box = box
  target.follow(self, function (process) return process:err() end, function (line) said[#said + 1] = line end)
  target.follow(self, function (process) return process:out() end, function (line)
    local event = json.decode(line)
    if type(event) == "table" then box:put(event) end
  end)
  local event = box:take(PATIENCE)
  if not event or event.event ~= "listening" then
    words.environment("target %s did not start: %s", self._name, table.concat(said, " | "))
  end
  return event.address
end

function builtin.reload(self)
  -- what else it says in between is in the journal
  self._state.box:clear()
  self._process:signal "HUP"
  local event = self._state.box:take(PATIENCE)
  if not event then words.environment("target %s did not answer SIGHUP", self._name) end
  if event.event == "reloaded" then return "done" end
  return "refused", event.why
end

function builtin.check(self)
  local play = self._play
  local ending, _, err = play:command({ play.run.options.programs .. "/target-builtin", "--config",
    config_file(self), "--check" }, { on_calendar = true })
  return ending.code == 0 and "works" or "fails", err
end

function builtin.stop(self)
  self._process:signal "TERM"
  self._process:wait(PATIENCE)
end

return builtin
