-- Whoever renews everybody else's certificates has one of his own, and forgets it.  An ACME client that went on
-- regardless would hand its account to whoever stands in between; so its run has to fail, and fail again, while
-- certificates grow old.  Thirty days to the end of them are thirty days for the authority to wake up.

scenario "The certificate of the authority's own API runs out: no client goes on"
tags { "authority", "acme", "expiry", outage = "Microsoft Teams, 2020-02-03" }

local house = ca {}
house:serve()
local shops = {}
for i, client in ipairs { "lego", "acme-tiny", "uacme" } do
  local shop  = target  { "builtin", "nginx", name = client .. ".test", certificate = house:issue { lifetime = "7d" } }
  local cron  = renewal { of = shop, from = house, client = client }
  local fleet = clients { "openssl", "gnutls", "wolfssl", to = shop, named = client, rate = "5/s" }
  shops[i] = { cron = cron, fleet = fleet }
end

steady "each has its certificate"
for _, shop in ipairs(shops) do
  shop.cron:expect  { renewed = 1, within = "60s" }
  shop.fleet:expect { success = "100%", within = "10s" }
end

inject "renewal is due, and the API's own certificate ended yesterday"
house:arm { "api-expired" }
clock:jump "61d"
for _, shop in ipairs(shops) do
  shop.cron:expect  { last = "failed", within = "60s" }
  shop.fleet:expect { success = "100%", within = "5s" }
end

recover "the authority has a new one; half a day later every client renews"
house:disarm "api-expired"
clock:jump "12h"
for _, shop in ipairs(shops) do
  shop.cron:expect  { renewed = 2, within = "60s" }
  shop.fleet:expect { success = "100%", within = "5s" }
end
