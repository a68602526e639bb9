-- nginx staples what a responder says only where that is good, and says nothing of it where it is not: nobody hears
-- of it but those who insist on a staple.  On 2016-10-13 GlobalSign's responders called healthy certificates
-- revoked; caches went on with that for four days.  In 2025 Let's Encrypt ended OCSP: from one renewal to the next
-- certificates named no responder.

scenario "A responder that is wrong, and then none at all: nginx keeps both to itself"
tags { "revocation", "stapling", client = "acme-tiny", outage = "GlobalSign, 2016-10-13; Let's Encrypt, 2025-05-07" }

local house  = ca      {}
house:serve()
local shop   = target  { "nginx", name = "shop.test", certificate = house:issue { lifetime = "7d" }, stapling = true }
local cron   = renewal { of = shop, from = house, client = "acme-tiny" }
local usual  = clients { "openssl", "gnutls", "wolfssl", to = shop, named = "usual", rate = "10/s", staple = "check" }
local strict = clients { "openssl", "gnutls", "wolfssl", to = shop, named = "strict", rate = "10/s",
                         staple = "require" }

steady "every client gets in, with a good staple"
cron:expect   { renewed = 1, within = "30s" }
strict:expect { success = "100%", within = "10s" }
usual:expect  { success = "100%", during = "300ms" }

inject "everything is revoked, says the responder; the next renewal starts processes that ask it"
house:arm { "ocsp-wrongly-revoked" }
clock:jump "61d"
cron:expect   { renewed = 2, within = "30s" }
strict:expect { outcome = "staple-missing", within = "10s" }
usual:expect  { success = "100%", during = "500ms" }

recover "it has come to its senses; five minutes later nginx asks again"
house:disarm "ocsp-wrongly-revoked"
clock:jump "10m"
strict:expect { success = "100%", within = "10s" }
usual:expect  { success = "100%", within = "5s" }

inject "the authority ends OCSP: the next certificate does not say whom to ask"
house:arm { "no-ocsp-url" }
clock:jump "61d"
cron:expect   { renewed = 3, within = "30s" }
strict:expect { outcome = "staple-missing", within = "10s" }
usual:expect  { success = "100%", during = "500ms" }

recover "the next release of those that insisted insists no more"
strict:set    { staple = "check" }
strict:expect { success = "100%", within = "10s" }
