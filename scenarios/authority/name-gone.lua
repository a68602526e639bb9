-- One certificate for several names renews only if all of them still validate.  Somebody
-- takes down a campaign's host, nobody thinks of the certificate it shared, and thirty days
-- of failing runs later the whole shop is dark: Bazel's site, on a holiday.  certbot has
-- --allow-subset-of-names for it, off by default; lego, dehydrated, acme-tiny and uacme have nothing.

scenario "One of three names no longer validates, and all of them expire"
tags { "authority", "acme", "validation", client = "acme-tiny", outage = "Bazel, 2025-12-26" }

local house   = ca      {}
house:serve {}
local shop    = target  { "builtin", "nginx", name = "shop.test", certificate = house:issue { lifetime = "7d" } }
local cron    = renewal { of = shop, from = house, client = "acme-tiny",
                          names = { "shop.test", "www.shop.test", "summer.shop.test" } }
local fleet   = clients { "openssl", "gnutls", "wolfssl", to = shop, rate = "10/s" }

steady "one certificate for three names"
cron:expect  { renewed = 1, within = "30s" }
fleet:expect { success = "100%", during = "300ms" }

inject "the summer is over, and so is its name; run after run fails, and the certificate runs out"
house:arm { "dns-nxdomain", identifier = "summer.shop.test" }
clock:jump "61d"
cron:expect  { last = "failed", within = "30s" }
fleet:expect { success = "100%", during = "300ms" }
clock:jump "30d"
fleet:expect { outcome = "expired", within = "5s" }

recover "the name is back, and the next run renews"
house:disarm "dns-nxdomain"
clock:jump "12h"
cron:expect  { renewed = 2, within = "30s" }
fleet:expect { success = "100%", within = "5s" }
