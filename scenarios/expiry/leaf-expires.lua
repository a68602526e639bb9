-- Renewal is quiet work, and nobody notices when it stops.  Here it stops, and we
-- want to see every client turn away on the day the leaf runs out, none before, and all of
-- them come back without help once renewal does.

scenario "A leaf expires, and renewal brings every client back"
tags { "expiry", "renewal", outage = "Spotify, 2020-08-19" }

local house   = ca      { root = "10y", intermediate = "5y" }
local shop    = target  { "builtin", "nginx", "apache", "caddy", "haproxy", name = "shop.test",
                          certificate = house:issue { lifetime = "90d" } }
local renewal = renewal { of = shop, from = house, when_left = "30d", every = "200ms" }
local fleet   = clients { "openssl", "gnutls", "wolfssl", to = shop }

steady "every client gets in"
fleet:expect { success = "100%", during = "1s" }

inject "renewal stops, and the leaf runs out"
renewal:stop()
clock:jump "89d"
fleet:expect { success = "100%", during = "1s" }
clock:jump "2d"
fleet:expect { outcome = "expired", share = "100%", within = "5s" }

recover "renewal starts again; nobody touches anything else"
renewal:start()
fleet:expect { success = "100%", within = "5s" }
