-- On 2017-05-19 Let's Encrypt was down for some hours, and who had to start Caddy in that time could not: it wanted to
-- renew before it served, and ended where it could not, beside a certificate that was good for weeks.  Servers
-- that get their certificates by themselves have learned that since: what is in their storage is served, and the
-- authority is asked again later.  Without that storage, as in a container without a volume, there is nothing to serve.

scenario "The authority is down while a server that renews by itself is rebooted"
tags { "authority", "renewal", outage = "Let's Encrypt and Caddy, 2017-05-19" }

local house = ca      { root = "30y", intermediate = "20y" }
house:serve()
local shop  = target  { "caddy", "apache", name = "shop.test", certificate = house:acme {} }
local fleet = clients { "openssl", "gnutls", "wolfssl", to = shop, rate = "10/s" }

steady "it has a certificate, and every client gets in"
fleet:expect { success = "100%", within = "10s" }

inject "renewal is due, nobody listens at the authority, and the machine is rebooted"
house:arm { "connection-refused", on = "acme" }
clock:jump "75d"
shop:restart()
fleet:expect { outcome = "ok", within = "10s" }

recover "the authority is back, and the certificate is renewed before it runs out"
house:disarm "connection-refused"
fleet:expect { success = "100%", throughout = "20d", rotations = 1 }
