-- An authority does not wait with its failures until an order is done.  Caddy 2.6.2 has an order, is about to ask
-- how its authorization fares, and is told "internal error", as often as it asks: it panics, lives on, and keeps the
-- renewal in its list of those that are under way.  There it stays: every ten minutes it says that the certificate
-- expires soon, and never asks for another, though the authority was down for a day alone.  A restart helps.

scenario "The authority fails in the middle of an order, and Caddy never renews again"
tags { "calendar", "renewal", "outage", "finding" }
timeout "5m"

local house = ca      { root = "30y", intermediate = "20y" }
house:serve { profiles = { classic = "20d" } }
local shop  = target  { "caddy", name = "shop.test", certificate = house:acme {} }
local fleet = clients { "openssl", "gnutls", "wolfssl", to = shop, rate = "5/s" }

steady "Caddy renews, and every client gets in"
fleet:expect { success = "100%", throughout = "15d", left = "5d", rotations = 1 }

inject "for a day the authority takes orders, and answers no question about them"
house:arm { "server-error", on = "authz", begins = "12d", for_ = "1d" }
fleet:expect { outcome = { "ok", "expired" }, throughout = "25d", runs_out = true }

recover "Caddy is restarted"
shop:restart()
clock:pass "6h"
fleet:expect { success = "100%", within = "10s" }
