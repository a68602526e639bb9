-- A container without a volume for its certificates orders a new one at every start, and
-- serves one of its own making until that is there.  A crash loop does so five times in an hour;
-- then the authority has issued five for this very set of names within seven days, and answers
-- 429.  The sixth start has neither the old certificate, which was good for months, nor a new one.
-- A bucket that holds five in seven days has one more after thirty-four hours (traefik#7952).

scenario "A container without a volume crash-loops into the authority's rate limit"
tags { "authority", "acme", "rate limit", client = "acme-tiny" }

local house   = ca      {}
house:serve { settings = { ["rate-limits"] = "on" } }
local itself  = ca      { intermediates = 0 }
local shop    = target  { "builtin", "nginx", name = "shop.test", certificate = house:issue {} }
local start   = renewal { of = shop, from = house, client = "acme-tiny" }
local fleet   = clients { "openssl", "gnutls", "wolfssl", to = shop, rate = "10/s" }

local function restart()
  shop:install(itself:issue {})
  start:forget()
end

steady "at its first start and at four more it obtains a certificate"
start:expect { renewed = 1, within = "30s" }
for count = 2, 5 do
  restart()
  start:expect { renewed = count, within = "30s" }
end
fleet:expect { success = "100%", within = "5s" }

inject "it crashes once more, and its order is turned away"
restart()
start:expect { last = "failed", within = "30s" }
fleet:expect { outcome = "unknown-issuer", within = "5s" }

recover "it stays up and asks twice a day; on the second day there is one for it"
clock:pass "36h"
start:expect { renewed = 6, within = "30s" }
fleet:expect { success = "100%", within = "5s" }
