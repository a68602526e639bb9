-- RFC 8446 section 4.4.2 lets certificates come in any order, and asks only that the
-- leaf is first.  Most libraries sort them; wolfSSL takes them as they come.  A chain file put
-- together by hand works on every laptop and fails in the devices.

scenario "A chain in the wrong order shuts out one library"
tags { "chain", "libraries differ", "guard" }

local house = ca      { intermediates = 2 }
local shop  = target  { "builtin", "nginx", "apache", "caddy", "haproxy",
                        name = "shop.test", certificate = house:issue {} }
local fleet = clients { "openssl", "gnutls", "wolfssl", to = shop }
local watch = guard   { of = shop, through = fleet, every = "400ms", forgives = 4 }

steady "every client gets in"
fleet:expect { success = "100%", during = "500ms" }

inject "the chain file is put together in the wrong order"
shop:install(house:issue {}:shuffled())
fleet:expect { outcome = { "ok", wolfssl = "unknown-issuer" }, within = "5s" }

recover "the guard puts the old chain back"
fleet:expect { success = "100%", within = "5s" }
watch:expect { tripped = 1 }
