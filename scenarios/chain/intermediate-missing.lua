-- The classic of botched rotations: the new leaf is fine, the new intermediate was
-- never uploaded.  Browsers that cached it notice nothing; every other client is locked out.  The guard
-- must notice and put the old chain back before a human could have.

scenario "An intermediate goes missing in a rotation, and the guard rolls back"
tags { "chain", "rotation", "guard" }

local house = ca      {}
local shop  = target  { "builtin", "nginx", "apache", "caddy", "haproxy",
                        name = "shop.test", certificate = house:issue {} }
local fleet = clients { "openssl", "gnutls", "wolfssl", to = shop }
local watch = guard   { of = shop, through = fleet, every = "400ms", forgives = 4 }

steady "every client gets in"
fleet:expect { success = "100%", during = "1s" }

inject "the rotation leaves its intermediate behind"
house:rotate()
shop:install(house:issue {}:without "intermediate")
fleet:expect { outcome = "unknown-issuer", within = "5s" }

recover "the guard puts the old chain back"
fleet:expect { success = "100%", within = "5s" }
watch:expect { tripped = 1 }
