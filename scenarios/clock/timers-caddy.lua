-- Caddy looks at its certificates every ten minutes, and counts them in monotonic seconds.  A wall clock that was set,
-- and one that gains on real time, are nothing to such a timer: by the wall it comes hours late.  Whoever tries a
-- renewal out by setting the date waits for it in real time, and gives up too soon.

scenario "Caddy's timer counts monotonic seconds: a wall clock that runs fast does not hurry it"
tags { "clock", "renewal", "expiry" }

local house = ca      {}
house:serve { profiles = { classic = "20d" } }
local shop  = target  { "caddy", name = "shop.test", certificate = house:acme {} }
local fleet = clients { "openssl", "gnutls", "wolfssl", to = shop, rate = "10/s" }

steady "Caddy has obtained a certificate"
fleet:expect { success = "100%", within = "10s" }

inject "the wall clock is set past its end, and half an hour passes on it in two seconds"
clock:jump "21d"
clock:rate(1000)
fleet:expect { outcome = "expired", within = "5s" }
fleet:expect { outcome = "expired", during = "2s" }

recover "monotonic clocks run fast, too, and after ten minutes on them it looks"
clock:rate { 60, mono = true }
fleet:expect { success = "100%", within = "60s" }
