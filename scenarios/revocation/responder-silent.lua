-- An OCSP responder that is down is noticed and forgiven; one that takes every connection
-- and says nothing is neither: Apple's, on 2020-11-12, kept programs from starting the world over.  nginx
-- asks apart from its clients, which therefore do not wait.  It goes on with the staple that it has,
-- and when that runs out it sends none, so that only who insists on one notices.  A process that waits
-- for an answer asks no other question; the next reload starts processes that ask anew.

scenario "The OCSP responder falls silent under a stapling nginx"
tags { "revocation", "stapling", client = "lego", outage = "Apple OCSP, 2020-11-12" }

local house   = ca      {}
house:serve {}
local shop    = target  { "nginx", name = "shop.test", certificate = house:issue { lifetime = "7d" }, stapling = true }
local cron    = renewal { of = shop, from = house, client = "lego" }
local usual   = clients { "openssl", "gnutls", "wolfssl", to = shop, named = "usual", rate = "10/s" }
local strict  = clients { "openssl", "gnutls", "wolfssl", to = shop, named = "strict", rate = "10/s",
                          staple = "require" }

steady "every client gets in, those too that insist on a staple"
cron:expect   { renewed = 1, within = "30s" }
strict:expect { success = "100%", within = "10s" }
usual:expect  { success = "100%", during = "300ms" }

inject "the responder falls silent, and ten days later the last staple has run out"
house:arm { "silence", on = "ocsp" }
clock:jump "10d"
strict:expect { outcome = "staple-missing", within = "10s" }
usual:expect  { success = "100%", during = "500ms" }

recover "it speaks again; with the reload of the next renewal nginx has a staple"
house:disarm "silence"
clock:jump "51d"
cron:expect   { renewed = 2, within = "30s" }
strict:expect { success = "100%", within = "10s" }
usual:expect  { success = "100%", within = "5s" }
