-- What a responder says, Caddy acts on: a certificate that is called revoked is replaced at once.  Where the
-- responder is wrong it is wrong about the next one, too, so that Caddy gets one more at every look at its staples,
-- and spends what the rate limits allow.  Nobody is shut out: it staples what it had until it has something better.

scenario "The OCSP responder calls a healthy certificate revoked: Caddy obtains another, and another"
tags { "revocation", "stapling", "renewal", "finding", outage = "GlobalSign, 2016-10-13" }

local house = ca      { root = "30y", intermediate = "20y" }
house:serve { rate_limits = true }
local shop  = target  { "caddy", name = "shop.test", certificate = house:acme {}, stapling = true }
local fleet = clients { "openssl", "gnutls", "wolfssl", to = shop, rate = "5/s", staple = "check" }

steady "every client gets in, with a good staple"
fleet:expect { success = "100%", within = "10s" }
house:expect { certificates = 1 }

inject "everything is revoked, says the responder, for four days"
house:arm { "ocsp-wrongly-revoked", for_ = "4d" }
fleet:expect { success = "100%", throughout = "4d", rotations = 3 }
house:expect { certificates = 4 }

recover "it has come to its senses, and Caddy keeps what it has"
fleet:expect { success = "100%", throughout = "10d" }
house:expect { certificates = 4 }
