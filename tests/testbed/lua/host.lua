local host = require "host"

is(host.duration "1h30m", 5400.0, "durations are seconds")
is(select(2, host.duration "soon"):match "^'soon' is not a duration" ~= nil, true, "or say what they are not")
is(host.show_duration(5400), "1h30m", "and back")
is(host.moment("2027-03-01", 0), 1803859200, "moments are Unix seconds")
is(host.nearest("shar", { "share", "within" }), "share", "the nearest word")
is(host.nearest("zzzzz", { "share", "within" }), nil, "is none where nothing is near")
is({ host.address "[::1]:443" }, { "::1", "443", true }, "addresses come apart")

local dir = os.tmpname()
os.remove(dir)
is(host.make_directory(dir, 448), true, "a directory")
like(select(2, host.make_directory(dir, 448)), "File exists", "is made once")
is(host.write(dir .. "/key", "secret", 384), true, "a file")
is(io.popen("stat -c %a " .. dir .. "/key"):read "a", "600\n", "has the mode that was asked for")
is(host.link("key", dir .. "/link"), true, "a link")
is(host.link("other", dir .. "/link"), true, "is replaced in one step")
is(io.popen("readlink " .. dir .. "/link"):read "a", "other\n", "and points where it was told")
like(select(2, host.write(dir .. "/nowhere/key", "x")), "No such file", "a write that fails says why")
is(host.remove_tree(dir), true, "a tree goes whole")

local full = host.append "/dev/full"
boom(function () full:write "x" end, "/dev/full: cannot write: No space left", "a full disk is an error, not a silence")

local clock_path = os.tmpname()
os.remove(clock_path)
local clock = host.clock(clock_path)
local before = clock:now()
clock:advance(86400)
is(math.floor(clock:now() - before + 0.5), 86400, "a calendar advances")
clock:rate(0)
is(clock:now(), clock:now(), "and stands still")
os.remove(clock_path)
