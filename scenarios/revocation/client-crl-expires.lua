-- Mutual TLS with revocation lists: a timer fetches a new list before the old one runs out.
-- The timer stops, nobody is revoked, nothing changes; and a week later the server believes nobody.  What
-- clients hear is that their certificates have expired, which they have not.  (Apache is as strict, and
-- says certificate_unknown; nginx answers HTTP 400.)  The server's own certificate is not to blame: an ACME client
-- renews it in the middle of all that.  The tills' are none of ACME's: what it issues is for servers.

scenario "The list of revoked client certificates runs out, and every client is locked out"
tags { "revocation", "client certificates", "expiry", client = "acme-tiny" }

local house   = ca      {}
house:serve { profiles = { classic = "20d" } }
local badges  = ca      { intermediates = 0 }
local shop    = target  { "builtin", name = "shop.test", certificate = house:issue { lifetime = "7d" },
                          client_ca = badges, client_crl = badges }
local cron    = renewal { of = shop, from = house, client = "acme-tiny", when_left = "10d" }
local timer   = fetcher { of = shop, when_left = "1d" }
local badge   = badges:issue { name = "till-7.shop.test", client = true }
local tills   = clients { "openssl", "gnutls", "wolfssl", to = shop, certificate = badge }

steady "every till gets in, on the first list and on the second"
cron:expect  { renewed = 1, within = "30s" }
tills:expect { success = "100%", during = "500ms" }
clock:jump "6d12h"
tills:expect { success = "100%", within = "5s" }

inject "the timer stops, and the list runs out"
timer:stop()
clock:jump "8d"
tills:expect { outcome = "alert-certificate-expired", within = "5s" }
cron:expect  { renewed = 2, within = "30s" }
tills:expect { outcome = "alert-certificate-expired", within = "5s" }

recover "the timer runs again; nobody touches anything else"
timer:start()
tills:expect { success = "100%", within = "5s" }
