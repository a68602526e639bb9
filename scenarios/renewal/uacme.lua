-- uacme ends with status 1 where nothing is due, 2 where it failed.  Who wraps it in a
-- script with `set -e`, or in a unit that takes 1 for a failure and gives up after a few, has stopped
-- his renewals on the first day, when all was well.

scenario "uacme obtains and renews, until its unit takes 'not due' for a failure"
tags { "renewal", "acme", client = "uacme" }

local house   = ca      {}
house:serve {}
local shop    = target  { "builtin", "nginx", name = "shop.test", certificate = house:issue { lifetime = "7d" } }
local unit    = renewal { of = shop, from = house, client = "uacme" }
local fleet   = clients { "openssl", "gnutls", "wolfssl", to = shop, rate = "10/s" }

steady "uacme obtains a certificate; half a day later nothing is due"
unit:expect  { renewed = 1, within = "30s" }
clock:jump "12h"
unit:expect  { last = "not due", within = "30s" }
fleet:expect { success = "100%", during = "300ms" }

inject "systemd gives the unit up, and the certificate runs out"
unit:stop()
clock:jump "91d"
fleet:expect { outcome = "expired", within = "5s" }

recover "a reboot starts the unit anew"
unit:start()
unit:expect  { renewed = 2, within = "30s" }
fleet:expect { success = "100%", within = "5s" }
