-- A stage: processes that live and die together.
local flow = require "flow"
local host = require "host"
local stage = require "stage"

local INIT = (os.getenv "BUILD" or "build") .. "/stage-init"
local ENV = { "PATH=" .. os.getenv "PATH", "GREETING=hello" }

local function open(settings)
  settings = settings or {}
  settings.init = INIT
  local s = assert(stage.open(settings))
  return s, s:ready()
end

local s, isolation = open()
like(isolation, "^isolated$", "this kernel gives a stage namespaces of its own")

local child = s:spawn { argv = { "sh", "-c", "echo $GREETING; echo $HOME; echo problem >&2; exit 3" }, env = ENV }
is(child:out(), "hello", "its environment is what it was given")
is(child:out(), "", "and nothing else")
is(child:out(), nil, "its output ends")
is(child:err(), "problem", "stderr is a stream of its own")
is(child:wait(), { code = 3 }, "and its status is known")

child = s:spawn { argv = { "cat" }, env = ENV }
child:send "one\n"
is(child:out(), "one", "what is sent comes back")
is(child:out(0.01), false, "waiting can have an end")
child:finish()
is(child:wait(), { code = 0 }, "end of input reaches it")

child = s:spawn { argv = { "sleep", "1000" }, env = ENV }
child:signal "TERM"
is(child:wait(), { signal = 15 }, "signals reach it")

child = s:spawn { argv = { "/nowhere/program" }, env = ENV }
like(child:wait().error, "^/nowhere/program: cannot start: No such file", "what cannot be started says so")

child = s:spawn { argv = { "cat", "/proc/net/dev" }, env = ENV }
local interfaces = {}
for line in function () return child:out() end do
  local name = line:match "^%s*(%w+):"
  if name then interfaces[#interfaces + 1] = name end
end
is(table.concat(interfaces, " "), "lo", "there is a loopback and no route out")

-- A daemon in a session of its own, which has forgotten its parent: the shell's own pid is told.
local marker = os.tmpname()
local daemon = ("setsid sh -c 'exec <%s; echo up; exec sleep 1000' & wait"):format(marker)
child = s:spawn { argv = { "sh", "-c", daemon }, env = ENV }
child:out()
local function alive()
  local pipe = io.popen("fuser " .. marker .. " 2>/dev/null")
  local text = pipe:read "a"
  pipe:close()
  return text ~= ""
end
is(alive(), true, "a daemon is running")
s:close()
is(alive(), false, "closing the stage ends everything on it, daemons too")
is(child:wait().signal ~= nil, true, "and its children's ends are known")
like(s:spawn({ argv = { "true" }, env = ENV }):wait().error, "closed", "a closed stage starts nothing")
os.remove(marker)

s = open()
local many = {}
for i = 1, 300 do
  many[i] = s:spawn { argv = { "true" }, env = { "PADDING=" .. ("x"):rep(10000) }, input = false }
  if i % 100 == 0 then for j = i - 99, i do many[j] = many[j]:wait() end end
end
is(many[1], { code = 0 }, "many orders at once are all taken")
is(many[300], { code = 0 }, "to the last")
s:close()

local first, second = open(), open()
local a = first:spawn { argv = { "sleep", "1000" }, env = ENV }
second:close()
is(a:wait(0.05), false, "one stage does not end another")
first:close()

local hosts = os.tmpname()
host.write(hosts, "127.0.0.1 shop.test\n")
s = open { show = { "/etc/hosts=" .. hosts } }
child = s:spawn { argv = { "getent", "hosts", "shop.test" }, env = ENV }
like(child:out(), "127%.0%.0%.1", "a stage has names of its own")
s:close()
os.remove(hosts)

s, isolation = open { show = { "/etc/hosts=/nowhere/hosts" } }
like(isolation, "^isolated$", "a stage that could not be furnished is isolated still")
like(select(2, s:ready()), "^cannot mount a file of the stage's own %(No such file", "and says what it lacks")
s:close()

-- Where a user namespace can be had but not used, the stage stays outside, and says so: the
-- port that nobody listens on refuses, as it would not in a network of one's own without loopback.
if host.uid() == 0 then
  local init = os.tmpname()
  host.write(init, "#!/bin/sh\nexec unshare -m sh -c 'mount -t tmpfs none /proc && "
    .. "exec setpriv --reuid 65534 --regid 65534 --clear-groups " .. INIT .. "'\n", 493)
  s = assert(stage.open { init = init })
  local kind, why = s:ready()
  is(kind, "shared", "a namespace that is only half to be had is not entered")
  like(why, "^cannot map user 65534 into a namespace", "and the reason is told")
  child = s:spawn { argv = { "bash", "-c", ": </dev/tcp/127.0.0.1/" .. host.free_port() }, env = ENV }
  like(child:err(), "refused", "the network is the machine's")
  s:close()
  os.remove(init)
end

is(stage.open { init = "/nowhere/stage-init" }, nil, "a stage without its init is none")
flow.park(0)
