-- mod_md renews inside of Apache, but what it has obtained waits for a graceful restart: Debian's
-- logrotate brings one every night.

scenario "A year of 47-day certificates, which Apache's mod_md renews by itself"
tags { "calendar", "renewal", "long" }
timeout "15m"

local house = ca      { root = "30y", intermediate = "20y" }
house:serve { profiles = { classic = "47d" }, rate_limits = true }
local shop  = target  { "apache", name = "shop.test", certificate = house:acme {} }
local fleet = clients { "openssl", "gnutls", "wolfssl", to = shop, rate = "5/s" }

steady "mod_md has obtained its first certificate, and every client gets in"
fleet:expect { success = "100%", within = "10s" }

inject "a year passes"
fleet:expect { success = "100%", throughout = "365d", left = "10d", rotations = 11 }
house:expect { in_a_week = 1 }
