-- The same question as in survival.lua, to Apache, whose mod_md renews by itself: how long may the authority be down,
-- and when?  mod_md begins when a third is left, or a day before that, which differs from time to time; what it has
-- obtained is served after the next graceful restart, and there is one every night.
--
-- In a row, `o` is a moment at which the outage is survived, `x` one at which it is not, and `?` one at which
-- it depends on when it had begun: the first right after a certificate was obtained, each further one a day later.

scenario "How long an authority may be down under Apache"
tags { "calendar", "renewal", "outage", "long" }
timeout "20m"

local TABLE = {
  -- hours of the outage
  { 48, "ooooo" },
  { 72, "ooo?o" },
  { 96, "oox?o" },
}

local house = ca      { root = "30y", intermediate = "20y" }
house:serve { profiles = { classic = "6d" } }
local shop  = target  { "apache", name = "shop.test", certificate = house:acme {} }
local fleet = clients { "openssl", "gnutls", "wolfssl", to = shop, rate = "5/s" }

steady "every client gets in"
fleet:expect { success = "100%", within = "10s" }

inject "the authority is down, for so long, from then"

local RUNS_OUT = { o = false, x = true }

for _, row in ipairs(TABLE) do
  local outage, cells = row[1], row[2]
  for point = 0, #cells - 1 do
    shop:forget()
    if point > 0 then clock:pass(("%dd"):format(point)) end
    house:arm { "server-error", for_ = ("%dh"):format(outage), may_miss = true }
    fleet:expect { outcome = { "ok", "expired" }, throughout = ("%dh"):format(outage + 96),
                   runs_out = RUNS_OUT[cells:sub(point + 1, point + 1)] }
    house:disarm "server-error"
  end
  note(("| Apache's mod_md | 6d | a third, or a day more | 24h | %dh | 24h | `%s` |"):format(outage, cells))
end
