-- The client that most of the web renews with is started twice a day by a systemd timer.
-- `apt purge`, a masked unit, an image built without systemd: the timer is gone, and nothing
-- complains, because what does not run cannot fail.  Ninety days later everybody knows.

scenario "certbot obtains and renews, until its timer is masked"
tags { "renewal", "acme", client = "certbot" }

local house   = ca      {}
house:serve {}
local shop    = target  { "builtin", "nginx", name = "shop.test", certificate = house:issue { lifetime = "7d" } }
local timer   = renewal { of = shop, from = house, client = "certbot" }
local fleet   = clients { "openssl", "gnutls", "wolfssl", to = shop, rate = "10/s" }

steady "certbot obtains a certificate, and renews it when a month is left"
timer:expect { renewed = 1, within = "30s" }
clock:jump "61d"
timer:expect { renewed = 2, within = "30s" }
fleet:expect { success = "100%", during = "300ms" }

inject "the timer is masked, and the certificate runs out"
timer:stop()
clock:jump "91d"
fleet:expect { outcome = "expired", within = "5s" }

recover "the timer is back, and its first run renews what is long expired"
timer:start()
timer:expect { renewed = 3, within = "30s" }
fleet:expect { success = "100%", within = "5s" }
