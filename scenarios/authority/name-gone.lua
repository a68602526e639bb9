-- One certificate for several names renews only if all of them still validate.  Somebody takes down a campaign's
-- host, nobody thinks of the certificate it shared, and thirty days of failing runs later the whole shop is dark:
-- Bazel's site, on a holiday.  No client leaves the name out, none says more than that this run has failed, and the
-- next one would have to ask for less.  certbot 2.1.0 would with --allow-subset-of-names; lego 4.9.1, dehydrated
-- 0.7.0, acme-tiny 5.0.1 and uacme 1.7.4 cannot.

scenario "One of three names no longer validates, and all of them expire"
tags { "authority", "acme", "validation", outage = "Bazel, 2025-12-26" }
timeout "4m"
timeout "5m"

local house = ca {}
house:serve()
local shops = {}
for i, client in ipairs { "certbot", "lego", "dehydrated", "acme-tiny", "uacme" } do
  local name, summer = client .. ".test", "summer." .. client .. ".test"
  local shop  = target  { "builtin", "nginx", name = name, certificate = house:issue { lifetime = "7d" } }
  local cron  = renewal { of = shop, from = house, client = client, names = { name, "www." .. name, summer } }
  local fleet = clients { "openssl", "gnutls", "wolfssl", to = shop, named = client, rate = "5/s" }
  shops[i] = { summer = summer, cron = cron, fleet = fleet }
end

steady "each has one certificate for three names"
for _, shop in ipairs(shops) do
  shop.cron:expect  { renewed = 1, within = "60s" }
  shop.fleet:expect { success = "100%", within = "10s" }
end

inject "the summer is over, and so are its names; run after run fails, and the certificates run out"
for _, shop in ipairs(shops) do house:arm { "dns-nxdomain", identifier = shop.summer } end
clock:jump "61d"
for _, shop in ipairs(shops) do
  shop.cron:expect  { last = "failed", within = "60s" }
  shop.fleet:expect { success = "100%", within = "5s" }
end
clock:jump "30d"
for _, shop in ipairs(shops) do shop.fleet:expect { outcome = "expired", within = "10s" } end

recover "the names are back, and the next runs renew"
house:disarm "dns-nxdomain"
clock:jump "12h"
for _, shop in ipairs(shops) do
  shop.cron:expect  { renewed = 2, within = "60s" }
  shop.fleet:expect { success = "100%", within = "10s" }
end
