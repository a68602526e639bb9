-- mod_ssl asks the responder while the client waits, one question for everybody at a time.  A
-- responder that is down costs nothing; one that takes the connection and says nothing stops the shop:
-- every handshake hangs until its client gives up, and soon there is no worker left.  mod_md's README
-- tells how this comes to be, and staples apart from the clients (bz.apache.org 61818).

scenario "The OCSP responder falls silent, and Apache's mod_ssl lets its clients wait"
tags { "revocation", "stapling", "finding", client = "acme-tiny", outage = "Apple OCSP, 2020-11-12" }

local house   = ca      {}
house:serve {}
local shop    = target  { "apache", name = "shop.test", certificate = house:issue { lifetime = "7d" }, stapling = true }
local cron    = renewal { of = shop, from = house, client = "acme-tiny" }
local fleet   = clients { "openssl", "gnutls", "wolfssl", to = shop, rate = "10/s", staple = "check",
                          timeout = "2s" }

steady "every client gets in, with a good staple"
cron:expect  { renewed = 1, within = "30s" }
fleet:expect { success = "100%", within = "10s" }

inject "the responder falls silent, and ten days later the last staple has run out"
house:arm { "silence", on = "ocsp" }
clock:jump "10d"
fleet:expect { outcome = "timeout", within = "20s" }

recover "it speaks again; the reload of the next renewal frees whoever waits"
house:disarm "silence"
clock:jump "51d"
cron:expect  { renewed = 2, within = "30s" }
fleet:expect { success = "100%", within = "30s" }
