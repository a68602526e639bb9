-- A gateway mixes up two orders, and what comes back is for another key.  None of certbot
-- 2.1.0, lego, dehydrated 0.7.0, acme-tiny 5.0.1 and uacme 1.7.4 compares the two: they report success,
-- write it down beside a key that does not fit, and come back in sixty days.  What saves the day
-- is a server that refuses such a pair and goes on with the old one; what comes then is a matter of dates.

scenario "A certificate for the wrong key: the server keeps the old one, and the client believes it is done"
tags { "authority", "acme", "deployment", "finding", client = "lego" }

local house   = ca      {}
house:serve {}
local shop    = target  { "builtin", "nginx", name = "shop.test", certificate = house:issue { lifetime = "7d" } }
local cron    = renewal { of = shop, from = house, client = "lego" }
local fleet   = clients { "openssl", "gnutls", "wolfssl", to = shop, rate = "10/s" }

steady "it obtains a certificate, and a cold start would work"
cron:expect  { renewed = 1, within = "30s" }
fleet:expect { success = "100%", during = "300ms" }
shop:expect  { cold_start = "works" }

inject "the renewal comes back for another key; the server refuses it, the client sees nothing"
house:arm { "wrong-key", times = 1 }
clock:jump "61d"
cron:expect  { renewed = 2, within = "30s" }
shop:expect  { reload = "refused" }
fleet:expect { success = "100%", during = "300ms" }
shop:expect  { cold_start = "fails" }

inject "a month later the old one runs out, and nothing is due yet"
clock:jump "30d"
cron:expect  { last = "not due", within = "30s" }
fleet:expect { outcome = "expired", within = "5s" }

recover "another month later the next renewal is due, and brings a pair that fits"
clock:jump "31d"
cron:expect  { renewed = 3, within = "30s" }
fleet:expect { success = "100%", within = "5s" }
shop:expect  { cold_start = "works" }
