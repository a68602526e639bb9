-- A machine that was suspended, or restored from a snapshot, wakes up in another month.  Its wall clock is right
-- soon; its timers count monotonic seconds, and for them no time has passed.  So nobody is in a hurry: the
-- certificate has run out, and the next look at it is as far away as it was when the machine fell asleep.

scenario "Suspended past the end of the certificate, and resumed"
tags { "calendar", "clock", "suspend", "renewal" }
timeout "5m"

local house   = ca      { root = "30y", intermediate = "20y" }
house:serve { profiles = { classic = "47d" } }
local shop    = target  { "builtin", "nginx", name = "shop.test", certificate = house:issue { lifetime = "47d" } }
local renewal = renewal { of = shop, from = house, client = "lego", schedule = "1d", when_left = "15d" }
local fleet   = clients { "openssl", "gnutls", "wolfssl", to = shop, rate = "5/s" }

steady "every client gets in, and weeks pass"
renewal:expect { renewed = 1, within = "30s" }
fleet:expect { success = "100%", throughout = "10d", left = "30d" }

inject "everything sleeps for seven weeks, and cron is not up yet when it wakes"
renewal:stop()
clock:suspend "49d"
fleet:expect { outcome = "expired", within = "5s" }

recover "cron starts lego"
renewal:start()
fleet:expect { success = "100%", within = "20s" }
