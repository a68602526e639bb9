-- A shell script and a line in a crontab, set up by somebody who left.  The host moves
-- to another machine, the certificates come along, the crontab does not.

scenario "dehydrated obtains and renews, until its crontab is lost in a move"
tags { "renewal", "acme", "long", client = "dehydrated" }

local house   = ca      {}
house:serve {}
local shop    = target  { "builtin", "nginx", name = "shop.test", certificate = house:issue { lifetime = "7d" } }
local cron    = renewal { of = shop, from = house, client = "dehydrated" }
local fleet   = clients { "openssl", "gnutls", "wolfssl", to = shop, rate = "10/s" }

steady "dehydrated registers and obtains a certificate, and renews it when a month is left"
cron:expect  { renewed = 1, within = "60s" }
clock:jump "61d"
cron:expect  { renewed = 2, within = "60s" }
fleet:expect { success = "100%", during = "300ms" }

inject "the host moves without its crontab, and the certificate runs out"
cron:stop()
clock:jump "91d"
fleet:expect { outcome = "expired", within = "5s" }

recover "the crontab is there again"
cron:start()
cron:expect  { renewed = 3, within = "60s" }
fleet:expect { success = "100%", within = "5s" }
