-- A challenge that was answered is in "processing" until it was tried, and RFC 8555 section 7.5.1 has clients look
-- at the authorization that it belongs to.  uacme 1.7.4 and dehydrated 0.7.0 look at the challenge alone, and where
-- an authority forgets to bring that up to date they ask for ever; certbot 2.1.0, lego 4.9.1 and acme-tiny 5.0.1
-- see a valid authorization, and have their certificate.  Here whoever starts uacme ends it after a while, as
-- systemd would.

scenario "A challenge stays in processing, though it was met: acme-tiny does not mind, uacme asks for ever"
tags { "authority", "acme", "validation", "finding", "long", client = "uacme" }

local house   = ca      {}
house:serve()
local shop    = target  { "builtin", "nginx", name = "shop.test", certificate = house:issue { lifetime = "7d" } }
local unit    = renewal { of = shop, from = house, client = "uacme", patience = "20s" }
local fleet   = clients { "openssl", "gnutls", "wolfssl", to = shop, rate = "10/s" }
local other   = target  { "builtin", "nginx", name = "other.test", certificate = house:issue { lifetime = "7d" } }
local cron    = renewal { of = other, from = house, client = "acme-tiny" }
local beside  = clients { "openssl", "gnutls", "wolfssl", to = other, named = "beside", rate = "10/s" }

steady "each has its certificate"
unit:expect   { renewed = 1, within = "60s" }
cron:expect   { renewed = 1, within = "60s" }
fleet:expect  { success = "100%", within = "10s" }
beside:expect { success = "100%", within = "10s" }

inject "renewal is due, and no challenge says how it ended; hours pass on the calendar"
house:arm { "stuck-challenge" }
clock:rate(600)
clock:jump "61d"
unit:expect   { last = "failed", within = "60s" }
cron:expect   { renewed = 2, within = "60s" }
clock:rate(1)
fleet:expect  { success = "100%", during = "300ms" }
beside:expect { success = "100%", during = "300ms" }

recover "challenges say it again; the next run renews"
house:disarm "stuck-challenge"
clock:jump "12h"
unit:expect   { renewed = 2, within = "60s" }
fleet:expect  { success = "100%", within = "5s" }
