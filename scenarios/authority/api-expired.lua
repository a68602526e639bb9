-- Whoever renews everybody else's certificates has one of his own, and forgets it.  An ACME client that went on
-- regardless would hand its account to whoever stands in between; so its run has to fail, and fail again, while
-- certificates grow old.  Thirty days to the end of them are thirty days for the authority to wake up.

scenario "The certificate of the authority's own API runs out: no client goes on"
tags { "authority", "acme", "expiry", outage = "Microsoft Teams, 2020-02-03" }

local CLIENTS = { "lego", "acme-tiny", "uacme" }

local house = ca {}
house:serve()
local shops, crons, fleets = {}, {}, {}
for i, client in ipairs(CLIENTS) do
  shops[i]  = target  { "builtin", "nginx", name = client .. ".test", certificate = house:issue { lifetime = "7d" } }
  crons[i]  = renewal { of = shops[i], from = house, client = client }
  fleets[i] = clients { "openssl", "gnutls", "wolfssl", to = shops[i], named = client, rate = "5/s" }
end

local function each(act)
  for i in ipairs(CLIENTS) do act(crons[i], fleets[i]) end
end

steady "each has its certificate"
each(function (cron, fleet)
  cron:expect  { renewed = 1, within = "60s" }
  fleet:expect { success = "100%", within = "10s" }
end)

inject "renewal is due, and the API's own certificate ended yesterday"
house:arm { "api-expired" }
clock:jump "61d"
each(function (cron, fleet)
  cron:expect  { last = "failed", within = "60s" }
  fleet:expect { success = "100%", within = "5s" }
end)

recover "the authority has a new one; half a day later every client renews"
house:disarm "api-expired"
clock:jump "12h"
each(function (cron, fleet)
  cron:expect  { renewed = 2, within = "60s" }
  fleet:expect { success = "100%", within = "5s" }
end)
