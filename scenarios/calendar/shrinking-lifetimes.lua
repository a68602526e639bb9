-- The CA/Browser Forum lets lifetimes shrink, and a renewal that says "thirty days before the end" in its
-- configuration stays as it is.  With 90 days that is every second month; with 45, twice a month; and with 6
-- days it is always: lego asks for a certificate every night.  Let's Encrypt allows five a week of one set of names, as
-- a bucket: for two weeks and a half it gets seven a week, then the bucket is empty, and on two nights of seven it is
-- refused.  Everybody gets in all the time; but an alarm on failed renewals rings every week.

scenario "Lifetimes shrink from 90 to 6 days, and the renewal window stays 30"
tags { "calendar", "renewal", "long" }
timeout "6m"

local house   = ca      { root = "30y", intermediate = "20y" }
house:serve { profiles = { classic = "90d" }, rate_limits = true }
local shop    = target  { "nginx", name = "shop.test", certificate = house:issue {} }
local renewal = renewal { of = shop, from = house, client = "lego", schedule = "1d", when_left = "30d" }
local fleet   = clients { "openssl", "gnutls", "wolfssl", to = shop, rate = "5/s" }

steady "certificates of 90 days are renewed when 30 are left"
renewal:expect { renewed = 1, within = "30s" }
fleet:expect { success = "100%", throughout = "100d", left = "28d", rotations = 1 }
house:expect { certificates = 2 }

inject "64 days"
house:profiles { classic = "64d" }
fleet:expect { success = "100%", throughout = "100d", left = "28d", rotations = 3 }
house:expect { certificates = 5 }

inject "45 days"
house:profiles { classic = "45d" }
fleet:expect { success = "100%", throughout = "100d", left = "28d", rotations = 6 }
house:expect { certificates = 11, in_a_week = 1 }

inject "6 days, which are never more than 30"
house:profiles { classic = "6d" }
fleet:expect { success = "100%", throughout = "100d", left = "2d" }
house:expect { certificates = 86, in_a_week = 7 }
renewal:expect { last = "failed" }
