-- The leaf has weeks to go, every dashboard is green, and the certificate above it
-- runs out.  The authority has had a new intermediate for long, but renewal looks at the leaf alone and
-- does not stir until that is due.  Firefox lost its add-ons this way in 2019.

scenario "An intermediate expires under a valid leaf"
tags { "chain", "expiry", outage = "Firefox add-ons, 2019-05-04" }

local house   = ca      { intermediate = "100d" }
clock:jump "45d"
local shop    = target  { "builtin", "nginx", "apache", "caddy", "haproxy",
                          name = "shop.test", certificate = house:issue {} }
local renewal = renewal { of = shop, from = house }
local fleet   = clients { "openssl", "gnutls", "wolfssl", to = shop }

house:rotate()

steady "every client gets in, on the intermediate's last day"
clock:jump "54d"
fleet:expect { success = "100%", during = "500ms" }

inject "the intermediate runs out, a month before the leaf; renewal sees a leaf with a month to go"
clock:jump "2d"
fleet:expect { outcome = "expired", within = "5s" }

recover "five days later renewal is due, and the new leaf comes from the new intermediate"
clock:jump "5d"
fleet:expect { success = "100%", within = "5s" }
