-- Clients judge a server's certificate by their clocks, so the server's own may be wrong for years, and nobody
-- notices: until it judges something itself.  Here that is what its clients show it: a badge that was just issued,
-- which begins an hour before the authority's now, and one that is good for another hour and a half.

scenario "A server whose own clock is wrong turns away good clients"
tags { "calendar", "clock", "client certificates", "not-yet-valid" }
timeout "5m"

local SLOW, FAST = "alert-bad-certificate", "alert-certificate-expired"

local TABLE = {
  -- the server's clock is off by; what a new badge meets, and what one that ends in 90 minutes meets
  { "-1d", SLOW, SLOW },
  { "-2h", SLOW, SLOW },
  { "-1h", "ok", "ok" },
  { "-5m", "ok", "ok" },
  { "5m", "ok", "ok" },
  { "1h", "ok", "ok" },
  { "2h", "ok", FAST },
  { "1d", "ok", FAST },
}

local house  = ca      {}
local badges = ca      { intermediates = 0 }
local shop   = target  { "builtin", "haproxy", name = "shop.test", certificate = house:issue {}, client_ca = badges,
                         skew = "0s" }
local new    = badges:issue { name = "till-7.shop.test", client = true, lifetime = "90d" }
local ending = badges:issue { name = "till-8.shop.test", client = true, lifetime = "90m" }
local fresh  = clients { "openssl", "gnutls", "wolfssl", to = shop, certificate = new, named = "fresh", rate = "5/s" }
local old    = clients { "openssl", "gnutls", "wolfssl", to = shop, certificate = ending, named = "old", rate = "5/s" }

steady "its clock is right"
fresh:expect { success = "100%", within = "10s" }
old:expect   { success = "100%", within = "10s" }

inject "its clock is off by so much"
for _, row in ipairs(TABLE) do
  local skew, fresh_sees, old_sees = table.unpack(row)
  shop:set { skew = skew }
  fresh:expect { outcome = fresh_sees, within = "10s" }
  old:expect   { outcome = old_sees, within = "10s" }
  note(("off by %-4s  just issued: %s; ending soon: %s"):format(skew, fresh_sees, old_sees))
end

recover "its clock is set right; nobody touches anything else"
shop:set { skew = "0s" }
fresh:expect { success = "100%", within = "10s" }
old:expect   { success = "100%", within = "10s" }
