-- A zone that is signed has to be signed again and again, and nobody looks at the job that does it.  It stops; two
-- weeks later its last signatures run out.  Since 2026-03-15 an authority has to check them, for challenges as for CAA,
-- and takes what does not validate for SERVFAIL: no certificate is renewed.  The job runs again after a reboot for
-- other reasons, while the old certificate still holds.

scenario "The zone's signatures run out, and the renewal fails until they are fresh"
tags { "authority", "acme", "dns", "dnssec", "validation", client = "lego" }

local house = ca      {}
house:serve { dnssec = true }
local shop  = target  { "builtin", "nginx", name = "shop.test", certificate = house:issue { lifetime = "7d" } }
local cron  = renewal { of = shop, from = house, client = "lego" }
local fleet = clients { "openssl", "gnutls", "wolfssl", to = shop, rate = "10/s" }

steady "the name validates, and lego obtains a certificate"
cron:expect  { renewed = 1, within = "30s" }
fleet:expect { success = "100%", during = "300ms" }

inject "the zone is signed no more; what was signed last holds for 14 days, and then renewal is due"
house:arm { "dnssec-expired", begins = "14d" }
clock:jump "61d"
cron:expect  { last = "failed", within = "30s" }
fleet:expect { success = "100%", during = "300ms" }

recover "it is signed again, and the next run renews"
house:disarm "dnssec-expired"
clock:jump "12h"
cron:expect  { renewed = 2, within = "30s" }
fleet:expect { success = "100%", within = "5s" }
