-- Since 2025 an authority has to look at a name from several places of the world before it issues.  A filter that
-- lets one country ask the name server was good enough for years: every customer lives there, and so does the first
-- of the authority's eyes.  One that dissents is forgiven; from two on nothing is issued.

scenario "A country filter hides the name from the authority's other perspectives"
tags { "authority", "acme", "validation", "dns", client = "acme-tiny" }

local house = ca      {}
house:serve { perspectives = 4 }
local shop  = target  { "builtin", "nginx", name = "shop.test", certificate = house:issue { lifetime = "7d" } }
local cron  = renewal { of = shop, from = house, client = "acme-tiny" }
local fleet = clients { "openssl", "gnutls", "wolfssl", to = shop, rate = "10/s" }

steady "four perspectives agree, and it obtains a certificate; three are enough to renew it"
cron:expect  { renewed = 1, within = "30s" }
house:arm { "perspectives-disagree", perspectives = 1 }
clock:jump "61d"
cron:expect  { renewed = 2, within = "30s" }
house:disarm "perspectives-disagree"
fleet:expect { success = "100%", during = "300ms" }

inject "two of the three remote ones no longer find the name when renewal is due"
house:arm { "perspectives-disagree", perspectives = 2 }
clock:jump "61d"
cron:expect  { last = "failed", within = "30s" }
fleet:expect { success = "100%", during = "300ms" }

recover "the filter lets the world in; the next run renews"
house:disarm "perspectives-disagree"
clock:jump "12h"
cron:expect  { renewed = 3, within = "30s" }
fleet:expect { success = "100%", within = "5s" }
