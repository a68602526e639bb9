-- certbot 2.1.0 asks after a finalized order for ninety seconds (--issuance-timeout), then
-- fails, and tries again at the next run: no more than that is wanted.  The ninety seconds pass on the
-- calendar, twenty times as fast.

scenario "An order is stuck in processing, and certbot gives up after ninety seconds"
tags { "authority", "acme", "order", "long", client = "certbot" }

local house   = ca      {}
house:serve {}
local shop    = target  { "builtin", "nginx", name = "shop.test", certificate = house:issue { lifetime = "7d" } }
local timer   = renewal { of = shop, from = house, client = "certbot" }
local fleet   = clients { "openssl", "gnutls", "wolfssl", to = shop }

steady "it obtains a certificate"
timer:expect { renewed = 1, within = "60s" }
fleet:expect { success = "100%", during = "300ms" }

inject "orders are stuck when renewal is due"
house:arm { "stuck-processing" }
clock:rate(20)
clock:jump "61d"
timer:expect { last = "failed", within = "60s" }
clock:rate(1)
fleet:expect { success = "100%", during = "300ms" }

recover "the authority has caught up; the next run renews"
house:disarm "stuck-processing"
clock:jump "12h"
timer:expect { renewed = 2, within = "60s" }
fleet:expect { success = "100%", within = "5s" }
