-- A certificate arrives with the key of another, and the server is Apache.  Its own check
-- says "Syntax OK", for it does not look into certificates; the graceful restart does, finds that they do not
-- match, and ends: every client is locked out by a reload that was checked before.

scenario "Key and certificate do not match at reload: Apache checks, reloads and ends"
tags { "deployment", "reload", "guard", "servers differ" }

local house = ca      {}
local shop  = target  { "apache", name = "shop.test", certificate = house:issue {} }
local fleet = clients { "openssl", "gnutls", "wolfssl", to = shop }
local watch = guard   { of = shop, through = fleet, every = "400ms", forgives = 4 }

steady "every client gets in"
fleet:expect { success = "100%", during = "500ms" }

inject "a certificate is deployed with another one's key"
shop:install(house:issue {}:broken "other-key")
shop:expect  { reload = "refused" }
fleet:expect { outcome = "refused", within = "5s" }

recover "the guard puts the old pair back, and the next graceful restart starts what has ended"
fleet:expect { success = "100%", within = "10s" }
watch:expect { tripped = 1 }
