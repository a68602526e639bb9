-- certbot, too, takes a certificate for another key, and links it as live beside the
-- key that it had made.

scenario "A certificate for the wrong key: certbot congratulates, the server keeps the old one"
tags { "authority", "acme", "deployment", "finding", "long", client = "certbot" }

local house   = ca      {}
house:serve {}
local shop    = target  { "builtin", "nginx", name = "shop.test", certificate = house:issue { lifetime = "7d" } }
local timer   = renewal { of = shop, from = house, client = "certbot" }
local fleet   = clients { "openssl", "gnutls", "wolfssl", to = shop, rate = "10/s" }

steady "it obtains a certificate"
timer:expect { renewed = 1, within = "30s" }
fleet:expect { success = "100%", during = "300ms" }

inject "the renewal comes back for another key; the server refuses it, the client sees nothing"
house:arm { "wrong-key", times = 1 }
clock:jump "61d"
timer:expect { renewed = 2, within = "30s" }
shop:expect  { reload = "refused" }
fleet:expect { success = "100%", during = "300ms" }

recover "two months later, after one of darkness, the next renewal brings a pair that fits"
clock:jump "61d"
timer:expect { renewed = 3, within = "30s" }
fleet:expect { success = "100%", within = "5s" }
