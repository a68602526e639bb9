-- A fresh leaf is valid from an hour before it was issued, no earlier.  A client whose
-- clock is two hours behind has never seen a problem, until the day the certificate is
-- renewed: then it is from the future.  An hour later all is well again, and nobody knows why.

scenario "A fresh leaf is not yet valid for clients with slow clocks"
tags { "clock", "not-yet-valid" }

local house = ca      {}
local shop  = target  { "builtin", "nginx", "apache", "caddy", "haproxy",
                        name = "shop.test", certificate = house:issue {} }
clock:jump "60d"
local right = clients { "openssl", "gnutls", "wolfssl", to = shop, rate = "10/s", named = "right" }
local slow  = clients { "openssl", "gnutls", "wolfssl", to = shop, rate = "10/s", named = "slow", skew = "-2h" }

steady "both get in: the leaf is sixty days old"
right:expect { success = "100%", during = "500ms" }
slow:expect  { success = "100%", during = "500ms" }

inject "the leaf is renewed"
shop:install(house:issue {})
right:expect { success = "100%", during = "500ms" }
slow:expect  { outcome = "not-yet-valid", within = "5s" }

recover "an hour passes"
clock:jump "65m"
slow:expect  { success = "100%", within = "5s" }
right:expect { success = "100%", within = "5s" }
