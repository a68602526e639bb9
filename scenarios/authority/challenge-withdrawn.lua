-- In 2019 Let's Encrypt ended TLS-SNI-01, a year after it was found to be unsafe, and clients that knew no other type
-- of challenge never renewed again.  Caddy and Apache's mod_md know more than one, and take what they are offered: when
-- challenges over HTTP go away, the next renewal goes over TLS, and nobody has to do anything.

scenario "One type of challenge is withdrawn, and the server takes the other"
tags { "authority", "acme", "validation", outage = "Let's Encrypt, 2019-03-13" }

local house = ca      { root = "30y", intermediate = "20y" }
house:serve { profiles = { classic = "20d" } }
local shop  = target  { "caddy", "apache", name = "shop.test", certificate = house:acme { challenge = "http-01" } }
local fleet = clients { "openssl", "gnutls", "wolfssl", to = shop, rate = "10/s" }

steady "it renews, and every client gets in"
fleet:expect { success = "100%", throughout = "15d", rotations = 1 }

inject "challenges over HTTP are no longer offered"
house:arm { "challenge-gone", key = "http-01" }
fleet:expect { outcome = "ok", throughout = "20d", rotations = 1 }

recover "nobody has touched anything, and renewal goes on"
fleet:expect { success = "100%", throughout = "15d", rotations = 1 }
