-- A certificate arrives with the key of another.  A good server refuses the
-- reload and goes on with the old pair, so nothing seems wrong; and the next reboot finds a pair that
-- no server starts with.  Nobody connects that outage to last month's deployment.

scenario "Key and certificate do not match at reload: the old pair keeps serving"
tags { "deployment", "reload" }

local house   = ca      {}
local shop    = target  { "builtin", "nginx", "caddy", "haproxy", name = "shop.test", certificate = house:issue {} }
local renewal = renewal { of = shop, from = house }
local fleet   = clients { "openssl", "gnutls", "wolfssl", to = shop }

steady "every client gets in, and a cold start would work"
fleet:expect { success = "100%", during = "500ms" }
shop:expect  { cold_start = "works" }

inject "a certificate is deployed with another one's key"
shop:install(house:issue {}:broken "other-key")
shop:expect  { reload = "refused" }
fleet:expect { success = "100%", during = "500ms" }
shop:expect  { cold_start = "fails" }

recover "the next renewal brings a pair that matches"
clock:jump "61d"
shop:expect  { reload = "done", within = "5s" }
fleet:expect { success = "100%", within = "5s" }
shop:expect  { cold_start = "works" }
