-- dehydrated 0.7.0 polls for ever: ORDER_TIMEOUT is 0 unless somebody has set it.  A run that
-- hangs holds the lock, so that all runs after it end at once: one order that got stuck
-- stops every renewal on the host.  Here whoever starts it ends it after a while, as a systemd unit with
-- TimeoutStartSec does, hours later on the calendar.

scenario "An order is stuck in processing, and dehydrated polls for ever"
tags { "authority", "acme", "order", "finding", "long", client = "dehydrated" }

local house   = ca      {}
house:serve {}
local shop    = target  { "builtin", "nginx", name = "shop.test", certificate = house:issue { lifetime = "7d" } }
local unit    = renewal { of = shop, from = house, client = "dehydrated", patience = "30s" }
local fleet   = clients { "openssl", "gnutls", "wolfssl", to = shop, rate = "10/s" }

steady "it obtains a certificate"
unit:expect  { renewed = 1, within = "60s" }
fleet:expect { success = "100%", during = "300ms" }

inject "orders are stuck when renewal is due, and it asks for hours, until it is ended"
house:arm { "stuck-processing" }
clock:rate(300)
clock:jump "61d"
unit:expect  { last = "failed", within = "60s" }
clock:rate(1)
fleet:expect { success = "100%", during = "300ms" }

recover "the authority has caught up; the next run renews"
house:disarm "stuck-processing"
clock:jump "12h"
unit:expect  { renewed = 2, within = "60s" }
fleet:expect { success = "100%", within = "5s" }
