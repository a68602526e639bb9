-- In 2025 Let's Encrypt ended OCSP: from one renewal to the next certificates named no responder, and months later
-- those that still did asked nobody.  Configurations with "ssl_stapling on" went on as if nothing were, and stapled
-- nothing.

scenario "The authority ends OCSP: with the next renewal nothing is stapled"
tags { "revocation", "stapling", client = "acme-tiny", outage = "Let's Encrypt, 2025-05-07" }

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

inject "certificates no longer say whom to ask"
house:arm { "no-ocsp-url" }
clock:jump "61d"
cron:expect   { renewed = 2, within = "30s" }
strict:expect { outcome = "staple-missing", within = "10s" }
usual:expect  { success = "100%", during = "500ms" }

recover "the next release of those that insisted insists no more"
strict:set    { staple = "check" }
strict:expect { success = "100%", within = "10s" }
