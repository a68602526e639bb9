-- The authority's database is wiped, or restored from before: RFC 8555 section 7.3.1 lets a
-- client find out with its key, and register again.  lego does not: it goes on with the account's URL
-- that it wrote down, and every run fails the same way, until the certificate is gone.  So do certbot
-- 2.1.0, dehydrated 0.7.0 and uacme 1.7.4, each with a one-time registration of its own.

scenario "The authority forgets an account, and lego fails until it starts with an empty volume"
tags { "authority", "acme", "account", "finding", client = "lego" }

local house   = ca      {}
house:serve {}
local shop    = target  { "builtin", "nginx", name = "shop.test", certificate = house:issue { lifetime = "7d" } }
local cron    = renewal { of = shop, from = house, client = "lego" }
local fleet   = clients { "openssl", "gnutls", "wolfssl", to = shop, rate = "10/s" }

steady "it registers, obtains and renews"
cron:expect  { renewed = 1, within = "30s" }
clock:jump "61d"
cron:expect  { renewed = 2, within = "30s" }
fleet:expect { success = "100%", during = "300ms" }

inject "all accounts are forgotten; run after run fails, and the certificate runs out"
house:forget_accounts()
clock:jump "61d"
cron:expect  { last = "failed", within = "30s" }
clock:jump "30d"
fleet:expect { outcome = "expired", within = "5s" }
cron:expect  { last = "failed", within = "30s" }

recover "the container is rebuilt with an empty volume, and it registers anew"
cron:forget()
cron:expect  { renewed = 3, within = "30s" }
fleet:expect { success = "100%", within = "5s" }
