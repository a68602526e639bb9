-- The first certificate came over plain HTTP.  Then somebody has everything redirected to HTTPS, and the load
-- balancer in front, which ends TLS, asks the server over plain HTTP: it redirects that, too.  Browsers say "too
-- many redirects" and are mended within the hour by an exception for "/"; the exception for the challenges is what
-- is forgotten.

scenario "Challenges are redirected in a circle"
tags { "authority", "acme", "validation", client = "uacme" }

local house = ca      {}
house:serve()
local shop  = target  { "builtin", "nginx", name = "shop.test", certificate = house:issue { lifetime = "7d" } }
local cron  = renewal { of = shop, from = house, client = "uacme" }
local fleet = clients { "openssl", "gnutls", "wolfssl", to = shop, rate = "10/s" }

steady "it obtains a certificate"
cron:expect  { renewed = 1, within = "30s" }
fleet:expect { success = "100%", during = "300ms" }

inject "when renewal is due its challenge leads to itself"
house:arm { "redirect-loop" }
clock:jump "61d"
cron:expect  { last = "failed", within = "30s" }
fleet:expect { success = "100%", during = "300ms" }

recover "there is an exception for it; the next run renews"
house:disarm "redirect-loop"
clock:jump "12h"
cron:expect  { renewed = 2, within = "30s" }
fleet:expect { success = "100%", within = "5s" }
