-- certbot 2.1.0 forgives one bad nonce a request, and the second ends the run.  With every
-- tenth nonce bad that is one request in a hundred, and an order takes a dozen.

scenario "Two bad nonces in a row end certbot's run, one does not"
tags { "authority", "acme", "bad nonce", "finding", "long", client = "certbot" }

local house   = ca      {}
house:serve {}
local shop    = target  { "builtin", "nginx", name = "shop.test", certificate = house:issue { lifetime = "7d" } }
local timer   = renewal { of = shop, from = house, client = "certbot" }
local fleet   = clients { "openssl", "gnutls", "wolfssl", to = shop, rate = "10/s" }

steady "it obtains; and renews, though one nonce is bad"
timer:expect { renewed = 1, within = "30s" }
house:arm { "bad-nonce", on = "newOrder", times = 1 }
clock:jump "61d"
timer:expect { renewed = 2, within = "30s" }
fleet:expect { success = "100%", during = "300ms" }
house:disarm "bad-nonce"

inject "two in a row are bad when the next renewal is due"
house:arm { "bad-nonce", on = "newOrder", times = 2 }
clock:jump "61d"
timer:expect { last = "failed", within = "30s" }

recover "half a day later it renews, with weeks to spare"
clock:jump "12h"
timer:expect { renewed = 3, within = "30s" }
fleet:expect { success = "100%", within = "5s" }
