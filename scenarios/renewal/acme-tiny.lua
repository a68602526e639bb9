-- acme-tiny is two hundred lines that always order; whether a renewal is due is decided by
-- the line in the crontab around it.  Cron mails what goes wrong to root, and nobody reads root's
-- mail; still less the mail that a disabled cron does not send.

scenario "acme-tiny obtains and renews, until cron is disabled"
tags { "renewal", "acme", client = "acme-tiny" }

local house   = ca      {}
house:serve {}
local shop    = target  { "builtin", "nginx", name = "shop.test", certificate = house:issue { lifetime = "7d" } }
local cron    = renewal { of = shop, from = house, client = "acme-tiny" }
local fleet   = clients { "openssl", "gnutls", "wolfssl", to = shop, rate = "10/s" }

steady "acme-tiny obtains a certificate, and renews it when a month is left"
cron:expect  { renewed = 1, within = "30s" }
clock:jump "12h"
cron:expect  { last = "not due", within = "30s" }
clock:jump "60d"
cron:expect  { renewed = 2, within = "30s" }
fleet:expect { success = "100%", during = "300ms" }

inject "cron is disabled, and the certificate runs out"
cron:stop()
clock:jump "91d"
fleet:expect { outcome = "expired", within = "5s" }

recover "cron runs again"
cron:start()
cron:expect  { renewed = 3, within = "30s" }
fleet:expect { success = "100%", within = "5s" }
