-- At 03:14:08 on 19 January 2038 a signed count of 32 bits has no more seconds.  Who keeps time in one reads 1901
-- then, and every certificate is from the future.  No program here may be one of them.

scenario "Certificates are renewed over the end of 32-bit time"
tags { "calendar", "clock" }
timeout "5m"

clock:set "2038-01-15T06:00:00Z"
local house   = ca      { root = "30y", intermediate = "20y" }
house:serve { profiles = { classic = "6d" }, rate_limits = true }
local shop    = target  { "builtin", "nginx", name = "shop.test", certificate = house:issue { lifetime = "6d" } }
local renewal = renewal { of = shop, from = house, client = "lego", schedule = "12h", when_left = "2d" }
local fleet   = clients { "openssl", "gnutls", "wolfssl", to = shop, rate = "5/s" }

steady "every client gets in, days before"
renewal:expect { renewed = 1, within = "30s" }
fleet:expect { success = "100%", within = "5s" }

inject "the second comes, and goes"
fleet:expect { success = "100%", throughout = "10d", left = "1d", rotations = 2 }
house:expect { in_a_week = 5 }

-- wolfSSL 5.5.4 takes a time before 1970 for one beyond every end.
inject "clients whose time is 32 bits wide wake up in 1901"
fleet:set { at = "1901-12-13T20:45:52Z" }
fleet:expect { outcome = { "not-yet-valid", wolfssl = "expired" }, within = "5s" }

recover "they are replaced"
fleet:set { at = "calendar" }
fleet:expect { success = "100%", within = "5s" }
