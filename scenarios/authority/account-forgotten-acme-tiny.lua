-- acme-tiny asks for its account with its key at the beginning of each run, and the
-- authority either finds it or makes it: what others keep a file for, and lose with it.  Nothing that is
-- forgotten can hurt it; only an authority that goes on denying what it has just handed out.

scenario "The authority forgets an account, and acme-tiny makes another by itself"
tags { "authority", "acme", "account", client = "acme-tiny" }

local house   = ca      {}
house:serve {}
local shop    = target  { "builtin", "nginx", name = "shop.test", certificate = house:issue { lifetime = "7d" } }
local cron    = renewal { of = shop, from = house, client = "acme-tiny" }
local fleet   = clients { "openssl", "gnutls", "wolfssl", to = shop, rate = "10/s" }

steady "all accounts are forgotten, and it renews as if nothing were"
cron:expect  { renewed = 1, within = "30s" }
house:forget_accounts()
clock:jump "61d"
cron:expect  { renewed = 2, within = "30s" }
fleet:expect { success = "100%", during = "300ms" }

inject "they are forgotten again, and this time a replica that lags denies the new one for two days"
house:forget_accounts()
house:arm { "account-forgotten", on = "newOrder" }
clock:pass "62d"
cron:expect  { last = "failed", within = "30s" }
fleet:expect { success = "100%", during = "300ms" }

recover "the replica has caught up"
house:disarm "account-forgotten"
clock:jump "12h"
cron:expect  { renewed = 3, within = "30s" }
fleet:expect { success = "100%", within = "5s" }
