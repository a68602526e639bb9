-- A CAA record says which authorities may issue for a domain.  The agency that runs the summer campaign orders its
-- certificates elsewhere and adds a record for that; from then on nobody else may, and that is noticed when the
-- next renewal is due.  The authority's words name the record, in a log that nobody reads.

scenario "A CAA record forbids the renewal"
tags { "authority", "acme", "dns", "caa", client = "lego" }

local house = ca      {}
house:serve { settings = { caa = "on" } }
local shop  = target  { "builtin", "nginx", name = "shop.test", certificate = house:issue { lifetime = "7d" } }
local cron  = renewal { of = shop, from = house, client = "lego" }
local fleet = clients { "openssl", "gnutls", "wolfssl", to = shop, rate = "10/s" }

steady "lego obtains a certificate: no record, no ban"
cron:expect  { renewed = 1, within = "30s" }
fleet:expect { success = "100%", during = "300ms" }

inject "CAA lets nobody issue any more, and a month of failed runs later the certificate runs out"
house:arm { "caa-forbids", identifier = "shop.test" }
clock:jump "61d"
cron:expect  { last = "failed", within = "30s" }
fleet:expect { success = "100%", during = "300ms" }
clock:jump "30d"
fleet:expect { outcome = "expired", within = "5s" }

recover "the record is gone, and the next run renews"
house:disarm "caa-forbids"
clock:jump "12h"
cron:expect  { renewed = 2, within = "30s" }
fleet:expect { success = "100%", within = "5s" }
