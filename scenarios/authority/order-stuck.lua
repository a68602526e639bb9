-- A finalized order is "processing" until the certificate is there, and RFC 8555 section
-- 7.4 has clients ask again.  acme-tiny 5.0.1 asks for an hour, then fails; here the calendar runs
-- so fast that the hour is over in seconds.

scenario "An order is stuck in processing, and acme-tiny gives up after an hour"
tags { "authority", "acme", "order", client = "acme-tiny" }

local house   = ca      {}
house:serve {}
local shop    = target  { "builtin", "nginx", name = "shop.test", certificate = house:issue { lifetime = "7d" } }
local cron    = renewal { of = shop, from = house, client = "acme-tiny" }
local fleet   = clients { "openssl", "gnutls", "wolfssl", to = shop, rate = "10/s" }

steady "it obtains a certificate"
cron:expect  { renewed = 1, within = "30s" }
fleet:expect { success = "100%", during = "300ms" }

inject "orders are stuck when renewal is due"
house:arm { "stuck-processing" }
clock:rate(1000)
clock:jump "61d"
cron:expect  { last = "failed", within = "30s" }
clock:rate(1)
fleet:expect { success = "100%", during = "300ms" }

recover "the authority has caught up; the next run renews"
house:disarm "stuck-processing"
clock:jump "12h"
cron:expect  { renewed = 2, within = "30s" }
fleet:expect { success = "100%", within = "5s" }
