-- "TLS 1.3 only" is one line of configuration.  Who still speaks 1.2 is known to
-- nobody until that line is live.

scenario "A raised protocol minimum shuts a client class out, and the guard rolls back"
tags { "negotiation", "guard" }

local house  = ca      {}
local shop   = target  { "builtin", "nginx", "apache", "caddy", "haproxy",
                         name = "shop.test", certificate = house:issue {} }
local modern = clients { "openssl", "gnutls", "wolfssl", to = shop, rate = "10/s", named = "modern" }
local old    = clients { "openssl", "gnutls", "wolfssl", to = shop, rate = "10/s", named = "old", max_version = "1.2" }
local watch  = guard   { of = shop, through = old, every = "400ms", forgives = 4 }

steady "every client gets in"
modern:expect { success = "100%", during = "500ms" }
old:expect    { success = "100%", during = "500ms" }

inject "the server wants TLS 1.3"
shop:configure { min_version = "1.3" }
old:expect    { outcome = "protocol-version", within = "5s" }
modern:expect { success = "100%", during = "300ms" }

recover "the guard puts the old configuration back"
old:expect    { success = "100%", within = "5s" }
modern:expect { success = "100%", within = "5s" }
watch:expect  { tripped = 1 }
