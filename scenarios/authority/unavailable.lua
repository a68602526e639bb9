-- On 2026-05-08 Let's Encrypt stopped issuing for two and a half hours, and all it said
-- was 503.  With ninety days and a run every half day that is nothing: the renewal that fails today
-- has thirty days to succeed.  Three days of it are survived in the same way, if the client goes on
-- being started.

scenario "The authority answers 503 for three days, right when renewal is due"
tags { "authority", "acme", client = "acme-tiny", outage = "Let's Encrypt, 2026-05-08" }

local house   = ca      {}
house:serve {}
local shop    = target  { "builtin", "nginx", name = "shop.test", certificate = house:issue { lifetime = "7d" } }
local cron    = renewal { of = shop, from = house, client = "acme-tiny" }
local fleet   = clients { "openssl", "gnutls", "wolfssl", to = shop, rate = "10/s" }

steady "it obtains a certificate, which is not due on its fifty-ninth day"
cron:expect  { renewed = 1, within = "30s" }
clock:jump "59d"
cron:expect  { last = "not due", within = "30s" }
fleet:expect { success = "100%", during = "300ms" }

inject "503 to every request, for three days"
house:arm { "retry-later", status = 503, after = "3600", for_ = "3d" }
clock:pass "2d"
cron:expect  { last = "failed", within = "30s" }
fleet:expect { success = "100%", during = "300ms" }

recover "the three days are over, and the next run renews"
clock:pass "26h"
cron:expect  { renewed = 2, within = "30s" }
fleet:expect { success = "100%", within = "5s" }
