-- Renewal works, the file on disk is new, and the server still serves the old one,
-- because nobody told it.  Every check of the file is green until the day the old one runs
-- out.  Only a look at the wire sees it.

scenario "A certificate is renewed on disk but never reloaded; the detector reloads"
tags { "renewal", "deployment", outage = "LiveKit TURN" }

local house   = ca       {}
local shop    = target   { "builtin", "nginx", "apache", "caddy", "haproxy",
                           name = "shop.test", certificate = house:issue {} }
local renewal = renewal  { of = shop, from = house, reload = false }
local watch   = detector { of = shop, every = "200ms", patience = "600ms" }
local fleet   = clients  { "openssl", "gnutls", "wolfssl", to = shop }

steady "every client gets in, and what is on disk is on the wire"
fleet:expect { success = "100%", during = "500ms" }
shop:expect  { wire = "new" }

inject "renewal renews on disk alone while the detector is asleep, and the old leaf runs out"
watch:stop()
clock:jump "61d"
shop:expect  { wire = "old", within = "5s" }
clock:jump "30d"
fleet:expect { outcome = "expired", within = "5s" }

recover "the detector wakes up, sees the old certificate on the wire, and reloads"
watch:start()
fleet:expect { success = "100%", within = "5s" }
shop:expect  { wire = "new" }
watch:expect { tripped = 1 }
