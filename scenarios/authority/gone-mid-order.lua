-- The authority goes away in the middle of an order: its port is closed from one connection to the next, and opens
-- again hours later.  What acme-tiny had of the order is forgotten with its run; the next one begins another, and
-- the first is left with the authority, where it counts against the rate limits until it expires.

scenario "The authority's port closes in the middle of an order"
tags { "authority", "acme", "order", client = "acme-tiny" }

local house = ca      {}
house:serve()
local shop  = target  { "builtin", "nginx", name = "shop.test", certificate = house:issue { lifetime = "7d" } }
local cron  = renewal { of = shop, from = house, client = "acme-tiny" }
local fleet = clients { "openssl", "gnutls", "wolfssl", to = shop, rate = "10/s" }

steady "it obtains a certificate, with one order"
cron:expect  { renewed = 1, within = "30s" }
house:expect { orders = 1 }
fleet:expect { success = "100%", during = "300ms" }

inject "from the tenth connection on there is nobody, for six hours"
house:arm { "connection-refused", on = "acme", nth = 10, for_ = "6h" }
clock:jump "61d"
cron:expect  { last = "failed", within = "30s" }
house:expect { orders = 2, certificates = 1 }
fleet:expect { success = "100%", during = "300ms" }

recover "the port is open again by itself; the next run renews, with an order of its own"
clock:jump "12h"
cron:expect  { renewed = 2, within = "30s" }
house:expect { orders = 3, certificates = 2 }
fleet:expect { success = "100%", within = "5s" }
