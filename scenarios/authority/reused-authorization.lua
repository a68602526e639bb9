-- An authority that has seen a name proven does not ask again for a while: Let's Encrypt for thirty days until
-- 2027, for ten from then on, for seven hours from 2028.  So a client whose challenges have not worked for weeks goes
-- on renewing, and every log is green, until the one time when it is asked again.

scenario "An authorization that is used again hides for weeks that challenges are broken"
tags { "authority", "acme", "validation", client = "lego" }
timeout "5m"

local house = ca      { root = "30y", intermediate = "20y" }
house:serve { profiles = { classic = "20d" }, settings = { ["reuse-authorizations"] = "on" } }
local shop  = target  { "builtin", "nginx", name = "shop.test", certificate = house:issue { lifetime = "2d" } }
local cron  = renewal { of = shop, from = house, client = "lego", schedule = "2d", when_left = "8d" }
local fleet = clients { "openssl", "gnutls", "wolfssl", to = shop, rate = "5/s" }

steady "lego obtains its first certificate, and proves the name"
cron:expect  { renewed = 1, within = "30s" }
fleet:expect { success = "100%", within = "5s" }

inject "challenges lead to themselves from now on; renewals go well for weeks, and then the certificate runs out"
house:arm { "redirect-loop" }
fleet:expect { success = "100%", throughout = "29d", rotations = 2 }
fleet:expect { outcome = { "ok", "expired" }, throughout = "17d", runs_out = true }
cron:expect  { last = "failed" }

recover "the redirect is gone, and the next run renews"
house:disarm "redirect-loop"
clock:pass "2d"
fleet:expect { success = "100%", within = "5s" }
