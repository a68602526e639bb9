-- uacme 1.7.4 does not wait for an order that is "processing" after it was finalized:
-- "unexpected order status", and it is over.  The authority issues a moment later, for nobody; the next
-- run makes another order, and pays for it out of the rate limits.

scenario "An order is in processing for one answer, and uacme gives up at once"
tags { "authority", "acme", "order", "finding", client = "uacme" }

local house   = ca      {}
house:serve {}
local shop    = target  { "builtin", "nginx", name = "shop.test", certificate = house:issue { lifetime = "7d" } }
local cron    = renewal { of = shop, from = house, client = "uacme" }
local fleet   = clients { "openssl", "gnutls", "wolfssl", to = shop, rate = "10/s" }

steady "it obtains a certificate"
cron:expect  { renewed = 1, within = "30s" }
fleet:expect { success = "100%", during = "300ms" }

inject "the order is told as processing, once, when renewal is due"
house:arm { "stuck-processing", times = 1 }
clock:jump "61d"
cron:expect  { last = "failed", within = "30s" }
fleet:expect { success = "100%", during = "300ms" }

recover "half a day later it renews, with weeks to spare"
clock:jump "12h"
cron:expect  { renewed = 2, within = "30s" }
fleet:expect { success = "100%", within = "5s" }
