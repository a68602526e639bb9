-- A calendar and a clock that is off by a skew run as fast as each other, and so do the monotonic clocks on them.
local clocks = require "clocks"
local host = require "host"

local build = os.getenv "BUILD" or "build"
local dir = os.tmpname()
os.remove(dir)
host.make_directory(dir, 448)
for _, name in ipairs { "calendar", "early", "late" } do host.make_directory(dir .. "/" .. name, 448) end

local calendar = clocks.new(dir .. "/calendar")
local play = { clock = calendar, page = calendar.page, followers = {} }

-- "RATE of the calendar, of the monotonic clocks", as another program reads them.
local function rates(clock)
  local said = io.popen(("%s/fakeclock show --json %s"):format(build, clock.file)):read "a"
  return said:match '"rate":([^,]+)' .. ", " .. said:match '"mono":([^,]+)'
end

local early = clocks.follower(play, dir .. "/early", 300)
is({ rates(calendar), rates(early) }, { "1, 1", "1, 1" }, "at first all is as fast as real time")

clocks.rate(play, 60, false)
is({ rates(calendar), rates(early) }, { "60, 1", "60, 1" }, "a calendar that runs fast takes no timer with it")

clocks.rate(play, 60, true)
local late = clocks.follower(play, dir .. "/late", -300)
is({ rates(calendar), rates(early), rates(late) }, { "60, 60", "60, 60", "60, 60" },
  "unless it is to: timers on a clock of one's own, too, also where that comes later")

clocks.rate(play, 0, true)
clocks.follow(play)
is(early.page:now() - calendar.page:now(), 300.0, "while all stands still, who is early is so by as much")
is(rates(late), "0, 0", "and no timer fires")

clocks.rate(play, 1, false)
is({ rates(calendar), rates(late) }, { "1, 1", "1, 1" }, "until all runs again")
host.remove_tree(dir)
