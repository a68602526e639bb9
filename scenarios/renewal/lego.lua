-- lego knows two commands, `run` and `renew`, and leaves it to its user when each is due.
-- Many a container calls `run` at its start and nothing afterwards: good for ninety days.  It is a
-- static Go program, which no preloaded library reaches; its vDSO is redirected, so that it lives on
-- the calendar too (docs/fakeclock.md).

scenario "lego obtains and renews, until nobody calls `lego renew`"
tags { "renewal", "acme", client = "lego" }

local house   = ca      {}
house:serve {}
local shop    = target  { "builtin", "nginx", name = "shop.test", certificate = house:issue { lifetime = "7d" } }
local cron    = renewal { of = shop, from = house, client = "lego" }
local fleet   = clients { "openssl", "gnutls", "wolfssl", to = shop, rate = "10/s" }

steady "lego obtains a certificate, and renews it when a month is left"
cron:expect  { renewed = 1, within = "30s" }
clock:jump "61d"
cron:expect  { renewed = 2, within = "30s" }
fleet:expect { success = "100%", during = "300ms" }

inject "the container is rebuilt without its cron job, and the certificate runs out"
cron:stop()
clock:jump "91d"
fleet:expect { outcome = "expired", within = "5s" }

recover "the next image has the cron job again"
cron:start()
cron:expect  { renewed = 3, within = "30s" }
fleet:expect { success = "100%", within = "5s" }
