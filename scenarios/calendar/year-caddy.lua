-- Since 2029 certificates last 47 days at most, and whoever renews by hand is at it eight
-- times a year.  Caddy renews by itself: it looks every ten minutes, and asks for a new certificate
-- when a third of the old one is left.  Here a year passes in steps of six hours, and after each of them
-- somebody tries to get in.

scenario "A year of 47-day certificates, which Caddy renews by itself"
tags { "calendar", "renewal", "long" }
timeout "6m"

local house = ca      { root = "30y", intermediate = "20y" }
house:serve { profiles = { classic = "47d" }, rate_limits = true }
local shop  = target  { "caddy", name = "shop.test", certificate = house:acme {} }
local fleet = clients { "openssl", "gnutls", "wolfssl", to = shop, rate = "5/s" }

steady "Caddy has obtained its first certificate, and every client gets in"
fleet:expect { success = "100%", within = "10s" }

inject "a year passes"
fleet:expect { success = "100%", throughout = "365d", left = "10d", rotations = 11 }
house:expect { certificates = 12, in_a_week = 1 }
