-- An authority finds that it checked something wrongly, and has to revoke what it issued within a day: three
-- million certificates of Let's Encrypt in 2020, eighty-three thousand of DigiCert's in 2024.  Its renewal
-- information (RFC 9773) says so at once, to those who read it: mod_md 2.6.10 does so every night, and has another
-- certificate when the day is over.  lego 4.9.1 reads none: it finds every night that nothing is due.  The nginx in
-- front of it goes on with the last good staple until that has run out, and then it has none.

scenario "All certificates are revoked at short notice: who reads renewal information has another by then"
tags { "revocation", "renewal", "stapling", client = "lego", outage = "DigiCert, 2024-07-29" }
timeout "5m"

local house = ca      { root = "30y", intermediate = "20y" }
house:serve()
local asks  = target  { "apache", name = "asks.test", certificate = house:acme {}, stapling = true }
local deaf  = target  { "nginx", name = "deaf.test", certificate = house:issue { lifetime = "7d" }, stapling = true }
local cron  = renewal { of = deaf, from = house, client = "lego" }
local ahead = clients { "openssl", "gnutls", "wolfssl", to = asks, named = "ahead", rate = "5/s", staple = "require" }
local late  = clients { "openssl", "gnutls", "wolfssl", to = deaf, named = "late", rate = "5/s", staple = "require" }

steady "both have certificates, and clients insist on a staple"
cron:expect  { renewed = 1, within = "30s" }
ahead:expect { success = "100%", within = "10s" }
late:expect  { success = "100%", within = "10s" }
house:expect { certificates = 2 }

inject "all are to be revoked in a day and a half"
house:revoke { after = "36h", reason = "superseded", explanation = "https://status.test/incident" }
ahead:expect { success = "100%", throughout = "10d", rotations = 1 }
house:expect { certificates = 3 }
cron:expect  { last = "not due" }
late:expect  { outcome = "staple-missing", within = "10s" }
late:expect  { outcome = "staple-missing", during = "500ms" }

recover "seven weeks later lego's renewal is due"
clock:jump "51d"
cron:expect  { renewed = 2, within = "30s" }
late:expect  { success = "100%", within = "10s" }
ahead:expect { success = "100%", within = "10s" }
