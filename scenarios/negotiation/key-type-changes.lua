-- certbot 2.0 makes ECDSA keys where certbot 1 made RSA ones, if nobody says which.  The next renewal after the update
-- brings a certificate for which the server has no cipher suite: it was hardened years ago, with the names of those for
-- RSA.  It takes the certificate without a word.  botan.randombit.net was gone for a morning.

scenario "A renewal brings another type of key, for which the server has no cipher suite"
tags { "negotiation", "renewal", "guard", client = "certbot", outage = "botan.randombit.net, 2023-02-02" }

local house = ca      {}
house:serve()
local shop  = target  { "builtin", "nginx", "apache", "caddy", "haproxy", name = "shop.test",
                        certificate = house:issue { key = "rsa2048" }, max_version = "1.2",
                        ciphers = "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256" }
local cron  = renewal { of = shop, from = house, client = "certbot" }
local fleet = clients { "openssl", "gnutls", "wolfssl", to = shop, rate = "10/s" }
local watch = guard   { of = shop, through = fleet, every = "400ms", forgives = 4 }
cron:stop()

steady "every client gets in, with the RSA certificate of before"
fleet:expect { success = "100%", during = "500ms" }

inject "certbot was updated, and renews"
clock:jump "60d"
cron:start()
cron:expect  { renewed = 1, within = "30s" }
fleet:expect { outcome = "no-shared-cipher", within = "5s" }

recover "the guard puts the old certificate back, which has weeks to go"
fleet:expect { success = "100%", within = "10s" }
watch:expect { tripped = 1 }
