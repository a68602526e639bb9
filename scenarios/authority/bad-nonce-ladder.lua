-- Behind a load balancer, nonces of one machine are bad on the next: RFC 8555 section 6.5
-- has clients try again with the nonce that came with the refusal.  How often, it does not say, and
-- each client has a number of its own: dehydrated 0.7.0 none, certbot 2.1.0 one, uacme 1.7.4 two,
-- acme-tiny 5.0.1 a hundred, lego ten within a quarter of a minute.

scenario "More and more nonces are bad: a client that tries again a hundred times gets through to the end"
tags { "authority", "acme", "bad nonce", client = "acme-tiny" }

local house   = ca      {}
house:serve {}
local shop    = target  { "builtin", "nginx", name = "shop.test", certificate = house:issue { lifetime = "7d" } }
local cron    = renewal { of = shop, from = house, client = "acme-tiny" }
local fleet   = clients { "openssl", "gnutls", "wolfssl", to = shop, rate = "10/s" }

steady "with 15 % of all nonces bad, then 60 %, it obtains and it renews"
house:arm { "bad-nonce", share = "15%" }
cron:expect  { renewed = 1, within = "30s" }
house:disarm "bad-nonce"
house:arm { "bad-nonce", share = "60%" }
clock:jump "61d"
cron:expect  { renewed = 2, within = "30s" }
fleet:expect { success = "100%", during = "300ms" }
house:disarm "bad-nonce"

inject "all are bad when the next renewal is due"
house:arm { "bad-nonce" }
clock:jump "61d"
cron:expect  { last = "failed", within = "30s" }
fleet:expect { success = "100%", during = "300ms" }

recover "the load balancer is mended; the next run, half a day later, renews"
house:disarm "bad-nonce"
clock:jump "12h"
cron:expect  { renewed = 3, within = "30s" }
fleet:expect { success = "100%", within = "5s" }
