-- dehydrated 0.7.0 takes badNonce, which RFC 8555 section 6.5 wants to be tried again, for
-- an error like any other: one bad nonce in the dozen requests of an order, and the run is over.

scenario "One bad nonce ends dehydrated's run"
tags { "authority", "acme", "bad nonce", "finding", "long", client = "dehydrated" }

local house   = ca      {}
house:serve {}
local shop    = target  { "builtin", "nginx", name = "shop.test", certificate = house:issue { lifetime = "7d" } }
local cron    = renewal { of = shop, from = house, client = "dehydrated" }
local fleet   = clients { "openssl", "gnutls", "wolfssl", to = shop, rate = "10/s" }

steady "it obtains a certificate"
cron:expect  { renewed = 1, within = "60s" }
fleet:expect { success = "100%", during = "300ms" }

inject "one nonce is bad when renewal is due"
house:arm { "bad-nonce", on = "newOrder", times = 1 }
clock:jump "61d"
cron:expect  { last = "failed", within = "60s" }
fleet:expect { success = "100%", during = "300ms" }

recover "half a day later no nonce is bad, and it renews"
clock:jump "12h"
cron:expect  { renewed = 2, within = "60s" }
fleet:expect { success = "100%", within = "5s" }
