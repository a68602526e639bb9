-- What lego does in account-forgotten.lua, certbot 2.1.0 does too: it keeps the account's
-- URL in regr.json, and neither looks for the account by its key nor registers again.

scenario "The authority forgets an account, and certbot fails until it starts with an empty volume"
tags { "authority", "acme", "account", "finding", "long", client = "certbot" }

local house   = ca      {}
house:serve {}
local shop    = target  { "builtin", "nginx", name = "shop.test", certificate = house:issue { lifetime = "7d" } }
local timer   = renewal { of = shop, from = house, client = "certbot" }
local fleet   = clients { "openssl", "gnutls", "wolfssl", to = shop, rate = "10/s" }

steady "it registers and obtains"
timer:expect { renewed = 1, within = "30s" }
fleet:expect { success = "100%", during = "300ms" }

inject "all accounts are forgotten; run after run fails, and the certificate runs out"
house:forget_accounts()
clock:jump "61d"
timer:expect { last = "failed", within = "30s" }
clock:jump "30d"
fleet:expect { outcome = "expired", within = "5s" }

recover "the container is rebuilt with an empty volume, and it registers anew"
timer:forget()
timer:expect { renewed = 2, within = "30s" }
fleet:expect { success = "100%", within = "5s" }
