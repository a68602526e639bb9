-- The same question as in survival.lua, to a server that renews by itself: how long may the authority be down, and
-- when?  Caddy begins when a third is left and then tries on, every ten minutes at first and every six hours in the
-- end, so that it has its new certificate soon after the authority is back.
--
-- In a row, `o` is a moment at which the outage is survived, and `x` one at which it is not: the first
-- right after a certificate was obtained, each further one a day later.

scenario "How long an authority may be down under Caddy"
tags { "calendar", "renewal", "outage", "long" }
timeout "20m"

local TABLE = {
  -- lifetime, days between two moments, rows: hours of the outage
  { "6d", 1, { { 48, "ooooo" }, { 72, "oooxo" }, { 96, "ooxxo" } } },
  { "47d", 10, { { 336, "oooo" }, { 504, "ooox" } } },
}

local house = ca      { root = "30y", intermediate = "20y" }
house:serve {}
local shop  = target  { "caddy", name = "shop.test", certificate = house:acme {} }
local fleet = clients { "openssl", "gnutls", "wolfssl", to = shop, rate = "5/s" }

steady "every client gets in"
fleet:expect { success = "100%", within = "10s" }

inject "the authority is down, for so long, from then"

for _, group in ipairs(TABLE) do
  local lifetime, between, rows = table.unpack(group)
  house:profiles { classic = lifetime }
  for _, row in ipairs(rows) do
    local outage, cells = row[1], row[2]
    for point = 0, #cells - 1 do
      shop:forget()
      if point > 0 then clock:pass(("%dd"):format(point * between)) end
      house:arm { "server-error", for_ = ("%dh"):format(outage), may_miss = true }
      fleet:expect { outcome = { "ok", "expired" }, throughout = ("%dh"):format(outage + 24 * 16),
                     runs_out = cells:sub(point + 1, point + 1) == "x" }
      house:disarm "server-error"
    end
    note(("| Caddy | %s | a third | 10m | %dh | %dh | `%s` |"):format(lifetime, outage, between * 24, cells))
  end
end
