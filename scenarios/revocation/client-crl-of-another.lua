-- Mutual TLS with revocation lists that a timer fetches, as in client-crl-expires.  One day a proxy in between hands
-- out the list of another issuer.  It can be read, it is fresh and well signed, so the timer puts it in place; and
-- the server has no list of who issued the tills' certificates.  What tills hear is that their authority is
-- unknown, which it is not: all three libraries tell it in those words.  Looking at such a list themselves, OpenSSL and
-- wolfSSL refuse, and GnuTLS does not mind ("missing-crl" in docs/faults.md).  The server's own certificate is not to
-- blame: an ACME client renews it in the middle of all that.

scenario "The timer fetches the list of another issuer, and every client is locked out until it fetches again"
tags { "revocation", "client certificates", client = "acme-tiny" }

local house   = ca      {}
house:serve { profiles = { classic = "20d" } }
local badges  = ca      {}
badges:serve()
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

inject "the second list that the timer fetches is the root's once more, and not the tills' issuer's"
badges:arm { "crl-of-another", nth = 2, times = 1 }
clock:jump "6d12h"
tills:expect { outcome = "alert-unknown-ca", within = "5s" }
cron:expect  { renewed = 2, within = "30s" }
tills:expect { outcome = "alert-unknown-ca", within = "5s" }

recover "six days later the timer fetches again; nobody touches anything else"
clock:jump "6d"
tills:expect { success = "100%", within = "5s" }
