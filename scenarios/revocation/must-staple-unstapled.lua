-- A flag in the configuration of an ACME client, --must-staple, written years ago on the
-- advice of a checklist; and a server that does not staple.  Two of three libraries see nothing
-- wrong, so it passes every test on a laptop.

scenario "A must-staple certificate arrives at a server that does not staple, and the guard rolls back"
tags { "revocation", "must-staple", "libraries differ", "guard" }

local house = ca      {}
local shop  = target  { "builtin", "nginx", "caddy", name = "shop.test", certificate = house:issue {} }
local fleet = clients { "openssl", "gnutls", "wolfssl", to = shop }
local watch = guard   { of = shop, through = fleet, every = "400ms", forgives = 4 }

steady "every client gets in"
fleet:expect { success = "100%", during = "500ms" }

inject "the new certificate demands a staple"
shop:install(house:issue { must_staple = true })
fleet:expect { outcome = { "ok", gnutls = "staple-missing" }, within = "5s" }

recover "the guard puts the old certificate back"
fleet:expect { success = "100%", within = "5s" }
watch:expect { tripped = 1 }
