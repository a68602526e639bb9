-- The same three days of 503, and a certificate that lives for 160 hours, renewed when two
-- days are left.  What was nothing for ninety days is an outage: the last run that could have
-- saved it falls into the gap.

scenario "Three days of 503 outlast a six-day certificate"
tags { "authority", "acme", "expiry", client = "acme-tiny", outage = "Let's Encrypt, 2026-05-08" }

local house   = ca      {}
house:serve { profiles = { classic = "160h" } }
local shop    = target  { "builtin", "nginx", name = "shop.test", certificate = house:issue { lifetime = "7d" } }
local cron    = renewal { of = shop, from = house, client = "acme-tiny", when_left = "2d" }
local fleet   = clients { "openssl", "gnutls", "wolfssl", to = shop, rate = "10/s" }

steady "it obtains a certificate, which is not due on its fourth day"
cron:expect  { renewed = 1, within = "30s" }
clock:pass "4d"
cron:expect  { last = "not due", within = "30s" }
fleet:expect { success = "100%", during = "300ms" }

inject "503 to every request, for three days"
house:arm { "retry-later", status = 503, after = "3600", for_ = "3d" }
clock:pass "65h"
fleet:expect { outcome = "expired", within = "5s" }
cron:expect  { last = "failed", within = "30s" }

recover "the three days are over, and the next run renews"
clock:pass "12h"
cron:expect  { renewed = 2, within = "30s" }
fleet:expect { success = "100%", within = "5s" }
