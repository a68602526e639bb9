-- What name-gone.lua shows of acme-tiny, of the other four, each with a shop of its own: none of them leaves the
-- name out, none of them says more than that this run has failed, and the next one would have to ask for less.
-- certbot 2.1.0 would with --allow-subset-of-names; lego 4.9.1, dehydrated 0.7.0 and uacme 1.7.4 cannot.

scenario "One of three names no longer validates: certbot, lego, dehydrated and uacme"
tags { "authority", "acme", "validation", outage = "Bazel, 2025-12-26" }

local CLIENTS = { "certbot", "lego", "dehydrated", "uacme" }

local house = ca {}
house:serve()
local shops, crons, fleets = {}, {}, {}
for i, client in ipairs(CLIENTS) do
  local name = client .. ".test"
  shops[i]  = target  { "builtin", "nginx", name = name, certificate = house:issue { lifetime = "7d" } }
  crons[i]  = renewal { of = shops[i], from = house, client = client,
                        names = { name, "www." .. name, "summer." .. name } }
  fleets[i] = clients { "openssl", "gnutls", "wolfssl", to = shops[i], named = client, rate = "5/s" }
end

local function each(act)
  for i, client in ipairs(CLIENTS) do act(crons[i], fleets[i], client) end
end

steady "each has one certificate for three names"
each(function (cron, fleet)
  cron:expect  { renewed = 1, within = "60s" }
  fleet:expect { success = "100%", within = "10s" }
end)

inject "the summer is over, and so are its names; run after run fails, and the certificates run out"
each(function (_, _, client) house:arm { "dns-nxdomain", identifier = ("summer.%s.test"):format(client) } end)
clock:jump "61d"
each(function (cron)
  cron:expect { last = "failed", within = "60s" }
end)
clock:jump "30d"
each(function (_, fleet)
  fleet:expect { outcome = "expired", within = "10s" }
end)

recover "the names are back, and the next runs renew"
house:disarm "dns-nxdomain"
clock:jump "12h"
each(function (cron, fleet)
  cron:expect  { renewed = 2, within = "60s" }
  fleet:expect { success = "100%", within = "10s" }
end)
