-- Before fake clocks left pebble somebody asked what a client makes of a certificate without the dates that it should
-- have (pebble#231).  Here is one of ninety days that arrives with twenty-five left: good, and due.  uacme looks at
-- what it has, finds it due at every run, and renews at every run; certbot, lego and dehydrated do the same.  Nobody
-- who visits the shop sees any of it.  What ends it is the limit of five a week for the same names, and behind that
-- limit there is no certificate left for the day on which one is really needed.

scenario "The authority's clock is two months behind: whatever it issues is due, and the client renews at every run"
tags { "authority", "acme", "clock", "finding", client = "uacme" }

local house   = ca      {}
house:serve { rate_limits = true }
local shop    = target  { "builtin", "nginx", name = "shop.test", certificate = house:issue { lifetime = "7d" } }
local cron    = renewal { of = shop, from = house, client = "uacme", schedule = "12h" }
local fleet   = clients { "openssl", "gnutls", "wolfssl", to = shop, rate = "10/s" }

steady "it obtains a certificate, which is not due on its fifty-ninth day"
cron:expect  { renewed = 1, within = "30s" }
clock:jump "59d"
cron:expect  { last = "not due", within = "30s" }
fleet:expect { success = "100%", within = "5s" }

inject "what it signs is dated sixty-five days back: seven certificates in five days, where one was due"
house:arm { "clock-wrong", on = "finalize", skew = "-65d" }
fleet:expect { success = "100%", throughout = "5d" }
house:expect { certificates = 8 }

recover "its clock is right again, and one renewal is enough"
house:disarm("clock-wrong", "finalize")
clock:pass "2d"
cron:expect  { last = "not due", within = "30s" }
house:expect { certificates = 9 }
fleet:expect { success = "100%", within = "5s" }
