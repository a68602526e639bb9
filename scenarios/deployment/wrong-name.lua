-- The right machinery deploys the wrong certificate: the one of another name on
-- the same host.  The handshake is perfect, the chain is perfect, and every client turns away.

scenario "A rotation installs a certificate for another name, and the guard rolls back"
tags { "deployment", "rotation", "guard" }

local house = ca      {}
local shop  = target  { "builtin", "nginx", "apache", "caddy", "haproxy",
                        name = "shop.test", certificate = house:issue {} }
local fleet = clients { "openssl", "gnutls", "wolfssl", to = shop }
local watch = guard   { of = shop, through = fleet, every = "400ms", forgives = 4 }

steady "every client gets in"
fleet:expect { success = "100%", during = "500ms" }

inject "the certificate of another name is installed"
shop:install(house:issue { name = "depot.test", lifetime = "90d" })
fleet:expect { outcome = "wrong-name", within = "5s" }

recover "the guard puts the old certificate back"
fleet:expect { success = "100%", within = "5s" }
watch:expect { tripped = 1 }
