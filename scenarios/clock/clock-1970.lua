-- A device without a battery for its clock wakes up in 1970, and every certificate
-- in the world is from the future.  It must not need a restart once time comes in by NTP:
-- the same clients have to get in as soon as their clock is right.

scenario "Clients wake up in 1970, and recover when their clock is set"
tags { "clock", "not-yet-valid" }

local house = ca      {}
local shop  = target  { "builtin", "nginx", "apache", "caddy", "haproxy",
                        name = "shop.test", certificate = house:issue {} }
local fleet = clients { "openssl", "gnutls", "wolfssl", to = shop }

steady "every client gets in"
fleet:expect { success = "100%", during = "500ms" }

inject "their clocks fall back to 1970"
fleet:set { at = "1970-01-01T00:05:00Z" }
fleet:expect { outcome = "not-yet-valid", within = "5s" }

recover "their clocks are set"
fleet:set { at = "calendar" }
fleet:expect { success = "100%", within = "5s" }
