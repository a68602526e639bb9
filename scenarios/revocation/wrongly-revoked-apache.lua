-- What nginx keeps to itself in nothing-stapled.lua, mod_ssl hands on: it staples whatever the responder has
-- signed, and keeps it for an hour.  Clients that would never have asked are told; GnuTLS believes it unless it is
-- forbidden to, OpenSSL and wolfSSL if they were asked to look.

scenario "The OCSP responder calls a healthy certificate revoked: Apache tells everybody"
tags { "revocation", "stapling", "libraries differ", client = "acme-tiny", outage = "GlobalSign, 2016-10-13" }

local house  = ca      {}
house:serve()
local shop   = target  { "apache", name = "shop.test", certificate = house:issue { lifetime = "7d" }, stapling = true }
local cron   = renewal { of = shop, from = house, client = "acme-tiny" }
local usual  = clients { "openssl", "gnutls", "wolfssl", to = shop, named = "usual", rate = "10/s" }
local strict = clients { "openssl", "gnutls", "wolfssl", to = shop, named = "strict", rate = "10/s", staple = "check" }

steady "every client gets in, with a good staple"
cron:expect   { renewed = 1, within = "30s" }
strict:expect { success = "100%", within = "10s" }
usual:expect  { success = "100%", during = "300ms" }

inject "everything is revoked, says the responder, about the next certificate too"
house:arm { "ocsp-wrongly-revoked" }
clock:jump "61d"
cron:expect   { renewed = 2, within = "30s" }
strict:expect { outcome = "revoked", within = "10s" }
usual:expect  { outcome = { "ok", gnutls = "revoked" }, within = "10s" }

recover "it has come to its senses; an hour later Apache asks again"
house:disarm "ocsp-wrongly-revoked"
clock:jump "61m"
strict:expect { success = "100%", within = "10s" }
usual:expect  { success = "100%", within = "10s" }
