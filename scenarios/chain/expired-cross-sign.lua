-- A new root is signed by an old one, so that old devices trust it.  Years later
-- the old root runs out, and servers still send the signature it left behind.  Clients that
-- know the new root need it no more; those that insist on the chain as it was sent fall over.
-- On 2020-05-30 that broke apt, curl, mail servers and payment systems.

scenario "An expired cross-sign is still served"
tags { "chain", "expiry", "libraries differ", outage = "AddTrust, 2020-05-30" }

local old_house = ca      { root = "100d" }
local house     = ca      { cross_signed_by = old_house }
local crossed   = house:issue { lifetime = "200d", cross = true }
local shop      = target  { "builtin", "nginx", "apache", "caddy", "haproxy",
                            name = "shop.test", certificate = crossed }
local renewal   = renewal { of = shop, from = house }
local fleet     = clients { "openssl", "gnutls", "wolfssl", to = shop, trust = { house, old_house } }

steady "clients that trust both roots get in"
fleet:expect { success = "100%", during = "500ms" }

inject "the old root and its cross-sign run out, and the server still sends the cross-sign"
clock:jump "101d"
fleet:expect { outcome = { "ok", wolfssl = "expired" }, within = "5s" }

recover "nobody acts; seventy days later renewal comes due, and no longer sends the cross-sign"
clock:jump "70d"
fleet:expect { success = "100%", within = "5s" }
