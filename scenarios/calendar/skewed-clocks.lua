-- A leaf that was just issued begins an hour before the authority's now, so that clients whose clocks are a little
-- slow take it.  That hour is all there is, for the difference of both clocks: the authority's and the client's.

scenario "A just-issued leaf, where the clocks of authority and clients disagree"
tags { "calendar", "clock", "not-yet-valid" }
timeout "5m"

local SKEWS = { "-1d", "-2h", "-5m", "5m", "2h", "1d" }
local SECONDS = { ["-1d"] = -86400, ["-2h"] = -7200, ["-5m"] = -300, ["5m"] = 300, ["2h"] = 7200, ["1d"] = 86400 }
local BACKDATED = 3600

local houses = {}
for i, skew in ipairs(SKEWS) do houses[i] = ca { skew = skew } end
local right = ca {}
local shop  = target { "builtin", "nginx", name = "shop.test", certificate = right:issue {} }
local fleet = clients { "openssl", "gnutls", "wolfssl", to = shop, rate = "10/s",
                        trust = { right, table.unpack(houses) } }

steady "clocks that are right"
fleet:expect { success = "100%", during = "500ms" }

inject "every clock of the authority against every clock of clients"
for i, authority in ipairs(SKEWS) do
  shop:install(houses[i]:issue {})
  local row = {}
  for k, client in ipairs(SKEWS) do
    local gets_in = SECONDS[client] - SECONDS[authority] >= -BACKDATED
    fleet:set { skew = client }
    fleet:expect { outcome = gets_in and "ok" or "not-yet-valid", within = "5s" }
    row[k] = ("%s %s"):format(client, gets_in and "ok" or "NOT YET VALID")
  end
  note(("authority %s; clients: %s"):format(authority, table.concat(row, ", ")))
end

recover "clocks are right again"
fleet:set { skew = "0s" }
shop:install(right:issue {})
fleet:expect { success = "100%", within = "5s" }
