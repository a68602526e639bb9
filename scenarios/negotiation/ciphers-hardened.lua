-- A hardening guide is followed to the letter, and the clients that never learned the
-- cipher suites it leaves are shut out: not all, just the old ones that nobody tests with.

scenario "Hardened cipher suites shut a client class out, and the guard rolls back"
tags { "negotiation", "guard" }

local house  = ca      {}
local shop   = target  { "builtin", "nginx", "apache", "caddy", "haproxy",
                         name = "shop.test", certificate = house:issue {} }
local modern = clients { "openssl", "gnutls", "wolfssl", to = shop, rate = "10/s", named = "modern" }
local old    = clients { "openssl", "gnutls", "wolfssl", to = shop, rate = "10/s", named = "old",
                         max_version = "1.2", ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256" }
local watch  = guard   { of = shop, through = old, every = "400ms", forgives = 4 }

steady "every client gets in"
modern:expect { success = "100%", during = "500ms" }
old:expect    { success = "100%", during = "500ms" }

inject "the server keeps only the strongest suites"
shop:configure { ciphers = "ECDHE-ECDSA-AES256-GCM-SHA384" }
old:expect    { outcome = "no-shared-cipher", within = "5s" }
modern:expect { success = "100%", during = "300ms" }

recover "the guard puts the old configuration back"
old:expect    { success = "100%", within = "5s" }
modern:expect { success = "100%", within = "5s" }
watch:expect  { tripped = 1 }
