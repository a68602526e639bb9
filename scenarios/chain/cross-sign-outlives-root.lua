-- What is different from AddTrust in expired-cross-sign.lua: on 2021-09-30 the old root ran out, DST Root CA X3,
-- and what it had signed did not.  Let's Encrypt went on sending that, on purpose: old Android looks at no dates of
-- a root, and so the signature was good for three years more there.  So it is for wolfSSL; OpenSSL and GnuTLS do
-- look, and who had not learnt of the new root by then was alone.

scenario "An old root runs out, and what it signed goes on"
tags { "chain", "expiry", "libraries differ", client = "acme-tiny", outage = "DST Root CA X3, 2021-09-30" }

local old_house = ca      { root = "100d" }
local house     = ca      { cross_signed_by = old_house, cross_signed_for = "3y" }
house:serve()
house:arm { "chains-turned" }
local shop   = target  { "builtin", "nginx", name = "shop.test", certificate = house:issue { lifetime = "7d" } }
local cron   = renewal { of = shop, from = house, client = "acme-tiny" }
local modern = clients { "openssl", "gnutls", "wolfssl", to = shop, named = "modern", rate = "10/s",
                         trust = { house, old_house } }
local old    = clients { "openssl", "gnutls", "wolfssl", to = shop, named = "old", rate = "10/s", trust = old_house }

steady "the usual chain leads up to the old root, and everybody gets in"
cron:expect   { renewed = 1, within = "30s" }
old:expect    { success = "100%", within = "10s" }
modern:expect { success = "100%", during = "300ms" }
clock:jump "61d"
cron:expect   { renewed = 2, within = "30s" }

inject "the old root runs out"
clock:jump "40d"
old:expect    { outcome = { "expired", wolfssl = "ok" }, within = "10s" }
modern:expect { success = "100%", during = "500ms" }

recover "an update brings the new root, and they find another way up"
local updated = clients { "openssl", "gnutls", "wolfssl", to = shop, named = "updated", rate = "10/s", trust = house }
updated:expect { success = "100%", within = "10s" }
