-- On a leap day "the same day next year" is a day that there is not: authorities and clients that add a
-- year to a date have failed on one.  Certificates of six days are obtained, served and renewed through it.

scenario "Certificates are renewed over the leap day of 2028"
tags { "calendar", "clock", outage = "Azure, 2012-02-29" }
timeout "5m"

clock:set "2028-02-25T06:00:00Z"
local house   = ca      { root = "30y", intermediate = "20y" }
house:serve { profiles = { classic = "6d" }, rate_limits = true }
local shop    = target  { "builtin", "nginx", name = "shop.test", certificate = house:issue { lifetime = "6d" } }
local renewal = renewal { of = shop, from = house, client = "lego", schedule = "12h", when_left = "2d" }
local fleet   = clients { "openssl", "gnutls", "wolfssl", to = shop, rate = "5/s" }

steady "every client gets in, days before"
renewal:expect { renewed = 1, within = "30s" }
fleet:expect { success = "100%", within = "5s" }

inject "the leap day comes, and goes"
fleet:expect { success = "100%", throughout = "10d", left = "1d", rotations = 2 }
house:expect { in_a_week = 5 }

inject "a certificate for a year is issued on a leap day"
clock:set "2028-02-29T12:00:00Z"
renewal:stop()
shop:install(house:issue { lifetime = "365d" })
fleet:expect { success = "100%", within = "5s" }
clock:jump "364d"
fleet:expect { success = "100%", during = "500ms" }
clock:jump "2d"
fleet:expect { outcome = "expired", within = "5s" }

recover "lego is started again"
renewal:start()
fleet:expect { success = "100%", within = "20s" }
