-- Must-staple (RFC 7633) tells clients to refuse this certificate where no staple comes with
-- it.  nginx keeps staples in memory and asks for one when the first client is there already: after a
-- reboot during an outage of the responder there is none for anybody.  Of the three libraries GnuTLS alone does as
-- the certificate says, and locks its users out of a healthy shop; the other two let everybody in, and
-- would do so with a revoked certificate, too.

scenario "A must-staple certificate, a reboot, and the responder is down: the libraries differ"
tags { "revocation", "stapling", "must-staple", "libraries differ", client = "acme-tiny" }

local house   = ca      {}
house:serve {}
local shop    = target  { "nginx", name = "shop.test", certificate = house:issue { lifetime = "7d" }, stapling = true }
local cron    = renewal { of = shop, from = house, client = "acme-tiny", must_staple = true }
local fleet   = clients { "openssl", "gnutls", "wolfssl", to = shop, rate = "10/s" }

steady "it obtains a certificate that demands a staple, and every client gets in"
cron:expect  { renewed = 1, within = "30s" }
fleet:expect { success = "100%", within = "10s" }

inject "the responder takes connections and says nothing, and the machine is rebooted"
house:arm { "silence", on = "ocsp" }
shop:restart()
fleet:expect { outcome = { "ok", gnutls = "staple-missing" }, within = "10s" }

recover "it speaks again; with the reload of the next renewal nginx has a staple"
house:disarm "silence"
clock:jump "61d"
cron:expect  { renewed = 2, within = "30s" }
fleet:expect { success = "100%", within = "10s" }
