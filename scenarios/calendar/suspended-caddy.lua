-- Caddy looks every ten minutes, by a timer that counts monotonic seconds.  Seven weeks that pass it renews
-- in, as it should; seven weeks that it was suspended for it knows nothing of, until the timer fires.

scenario "Caddy is suspended past the end of its certificate, and resumed"
tags { "calendar", "clock", "suspend", "renewal" }
timeout "5m"

local house = ca      { root = "30y", intermediate = "20y" }
house:serve { profiles = { classic = "47d" } }
local shop  = target  { "caddy", name = "shop.test", certificate = house:acme {} }
local fleet = clients { "openssl", "gnutls", "wolfssl", to = shop, rate = "5/s" }

steady "seven weeks pass"
fleet:expect { success = "100%", throughout = "49d", left = "10d", rotations = 1 }

inject "the next seven weeks it sleeps"
clock:suspend "49d"
fleet:expect { outcome = "expired", during = "1s" }

recover "it has been awake for a quarter of an hour"
clock:pass { "15m", by = "5m" }
fleet:expect { success = "100%", within = "10s" }
