-- The leaf has weeks to go, every dashboard is green, and the certificate above it
-- runs out.  Renewal looks at the leaf alone, so it does not stir either; the way back is a
-- leaf from a new intermediate.  Firefox lost its add-ons this way in 2019.

scenario "An intermediate expires under a valid leaf"
tags { "chain", "expiry", outage = "Firefox add-ons, 2019-05-04" }

local house   = ca      { root = "10y", intermediate = "100d" }
clock:advance "45d"
local shop    = target  { "builtin", "nginx", name = "shop.test", certificate = house:issue { lifetime = "90d" } }
local renewal = renewal { of = shop, from = house, when_left = "30d", every = "200ms" }
local fleet   = clients { "openssl", "gnutls", "wolfssl", to = shop }

steady "every client gets in, on the last day but one"
clock:advance "54d"
fleet:expect { success = "100%", during = "500ms" }

inject "the intermediate runs out, a month before the leaf; renewal sees a leaf with a month to go"
clock:advance "2d"
fleet:expect { outcome = "expired", share = "100%", within = "5s" }

recover "the authority has a new intermediate by the time renewal is due"
house:rotate()
clock:advance "5d"
fleet:expect { success = "100%", within = "5s" }
