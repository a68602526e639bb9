-- nginx judges what the OCSP responder answers by its own clock, and forgives five minutes.  An answer begins an hour
-- before the responder's now, and is good for a week: a server that is slower than that takes every good
-- answer for one from the future, and staples nothing.  It says so in its log alone, and only who insists on a staple
-- is turned away.

scenario "A stapling nginx whose own clock is wrong"
tags { "calendar", "clock", "revocation", "stapling" }
timeout "5m"

local TABLE = {
  -- the server's clock is off by; whether it staples
  { "-1d", false },
  { "-2h", false },
  { "-1h", true },
  { "-5m", true },
  { "5m", true },
  { "1h", true },
  { "1d", true },
  { "8d", false },
}

local house  = ca      {}
house:serve {}
local shop   = target  { "nginx", name = "shop.test", certificate = house:issue {}, stapling = true, skew = "0s" }
local usual  = clients { "openssl", "gnutls", "wolfssl", to = shop, named = "usual", rate = "5/s" }
local strict = clients { "openssl", "gnutls", "wolfssl", to = shop, named = "strict", rate = "5/s",
                         staple = "require" }

steady "its clock is right, and every client gets in, those too that insist on a staple"
strict:expect { success = "100%", within = "10s" }
usual:expect  { success = "100%", within = "10s" }

inject "it is started with a clock that is off by so much"
for _, row in ipairs(TABLE) do
  local skew, staples = table.unpack(row)
  shop:set { skew = skew }
  shop:restart()
  strict:expect { outcome = staples and "ok" or "staple-missing", within = "10s" }
  usual:expect  { success = "100%", within = "10s" }
  note(("off by %-4s  %s"):format(skew, staples and "a staple" or "no staple"))
end

recover "its clock is set right, and it is started again"
shop:set { skew = "0s" }
shop:restart()
strict:expect { success = "100%", within = "10s" }
usual:expect  { success = "100%", within = "10s" }
