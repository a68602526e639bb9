-- Half of all certificates of Let's Encrypt are renewed so.  Debian starts certbot twice a day; here it is once,
-- for it takes more than a second to find out that nothing is to be done.

scenario "A year of 47-day certificates, which certbot renews for nginx"
tags { "calendar", "renewal", "long" }
timeout "40m"

local house   = ca      { root = "30y", intermediate = "20y" }
house:serve { profiles = { classic = "47d" }, rate_limits = true }
local shop    = target  { "nginx", name = "shop.test", certificate = house:issue { lifetime = "47d" } }
local renewal = renewal { of = shop, from = house, client = "certbot", schedule = "1d", when_left = "15d" }
local fleet   = clients { "openssl", "gnutls", "wolfssl", to = shop, rate = "5/s" }

steady "certbot has obtained its first certificate, and every client gets in"
renewal:expect { renewed = 1, within = "30s" }
fleet:expect   { success = "100%", within = "10s" }

inject "a year passes"
fleet:expect { success = "100%", throughout = "365d", left = "10d", rotations = 11 }
house:expect { certificates = 12, in_a_week = 1 }
