-- uacme 1.7.4 sends a request three times at most.  A pool of three machines that do not
-- share their nonces is enough to make a renewal fail now and then; with a run every half day nobody
-- notices, until certificates live for six days.

scenario "Three bad nonces in a row end uacme's run, two do not"
tags { "authority", "acme", "bad nonce", "finding", client = "uacme" }

local house   = ca      {}
house:serve {}
local shop    = target  { "builtin", "nginx", name = "shop.test", certificate = house:issue { lifetime = "7d" } }
local cron    = renewal { of = shop, from = house, client = "uacme" }
local fleet   = clients { "openssl", "gnutls", "wolfssl", to = shop, rate = "10/s" }

steady "it obtains; and renews, though two nonces in a row are bad"
cron:expect  { renewed = 1, within = "30s" }
house:arm { "bad-nonce", on = "newOrder", times = 2 }
clock:jump "61d"
cron:expect  { renewed = 2, within = "30s" }
fleet:expect { success = "100%", during = "300ms" }
house:disarm "bad-nonce"

inject "three in a row are bad when the next renewal is due"
house:arm { "bad-nonce", on = "newOrder", times = 3 }
clock:jump "61d"
cron:expect  { last = "failed", within = "30s" }

recover "half a day later it renews, with weeks to spare"
clock:jump "12h"
cron:expect  { renewed = 3, within = "30s" }
fleet:expect { success = "100%", within = "5s" }
