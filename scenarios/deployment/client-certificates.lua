-- Mutual TLS: the server is given the new authority for client certificates before the
-- clients have their new certificates.  In TLS 1.3 the clients think that all went well, for the
-- server judges them after the handshake: only who reads on learns of it.  Other servers
-- are not here: nginx takes any certificate and answers the first request with HTTP 400, so that all
-- goes well for its clients; Apache, and Go's servers such as Caddy, hang up on what they have not read
-- yet, so that their alert is lost on the way as often as not.

scenario "Client certificates of yesterday's authority are refused, and the guard rolls back"
tags { "deployment", "client certificates", "guard" }

local house     = ca      {}
local yesterday = ca      { intermediates = 0 }
local tomorrow  = ca      { intermediates = 0 }
local shop      = target  { "builtin", name = "shop.test", certificate = house:issue {}, client_ca = yesterday }
local badge     = yesterday:issue { name = "till-7.shop.test", client = true }
local tills     = clients { "openssl", "gnutls", "wolfssl", to = shop, certificate = badge }
local watch     = guard   { of = shop, through = tills, every = "400ms", forgives = 4 }

steady "every till gets in"
tills:expect { success = "100%", during = "500ms" }

inject "the server trusts the new authority alone"
shop:configure { client_ca = tomorrow }
tills:expect { outcome = "alert-unknown-ca", within = "5s" }

recover "the guard puts the old configuration back"
tills:expect { success = "100%", within = "5s" }
watch:expect { tripped = 1 }
