-- How long may the authority be down?  That depends on the day on which it goes down, and on two lines of
-- configuration: how long certificates last, and how early they are renewed.  A new certificate is obtained, some
-- steps of the calendar later the authority answers 503 for a while, and then it is seen whether what was
-- served ran out before its successor came.
--
-- In a row, `o` is a moment at which the outage is survived, and `x` one at which it is not: the first
-- right after a renewal, each further one some steps later, until the next renewal is due.
--
-- All clients of six-day certificates were told "two days before the end".  lego rounds what is left down to whole
-- days, begins when less than three are left, and survives a day more.  Servers that renew by themselves are in
-- survival-caddy.lua and survival-apache.lua.  What is noted are the rows of docs/survival.md.

scenario "Who survives an authority that is down: lifetime, outage, client"
tags { "calendar", "renewal", "outage", "long" }
timeout "20m"

-- acme-tiny is last: the server that its challenges need keeps the port, which certbot wants for its own.
local TABLE = {
  -- client, lifetime, when_left, schedule in hours, points, steps between them, rows: hours of the outage
  { "lego", "6d", "2d", 12, 6, 1, { { 24, "oooooo" }, { 72, "oooooo" }, { 96, "ooooxx" } } },
  { "lego", "47d", "15d", 24, 7, 5, { { 168, "ooooooo" }, { 336, "ooooooo" }, { 504, "oooooox" } } },
  { "certbot", "6d", "2d", 24, 5, 1, { { 24, "ooooo" }, { 72, "oooxo" }, { 96, "ooxxo" } } },
  { "acme-tiny", "6d", "2d", 12, 8, 1, { { 24, "oooooooo" }, { 72, "ooooooxx" }, { 96, "ooooxxxx" } } },
}

local house = ca      { root = "30y", intermediate = "20y" }
house:serve {}
local shop  = target  { "builtin", "nginx", name = "shop.test", certificate = house:issue {} }
local fleet = clients { "openssl", "gnutls", "wolfssl", to = shop, rate = "5/s" }

local function hours(count) return ("%dh"):format(count) end

steady "every client gets in"
fleet:expect { success = "100%", during = "500ms" }

inject "the authority is down, for so long, from then"

-- One cell: a new certificate, `steps` later the outage, and then on until all is settled.
local function cell(client, lifetime, when_left, schedule, steps, outage, survives)
  house:profiles { classic = lifetime }
  local renewal = renewal { of = shop, from = house, client = client, when_left = when_left,
                            schedule = hours(schedule) }
  renewal:expect { renewed = 1, within = "30s" }
  if steps > 0 then clock:pass(hours(steps * schedule)) end
  house:arm { "server-error", for_ = hours(outage), may_miss = true }
  local days = tonumber(lifetime:match "%d+")
  local rest = math.max(days * 24 // schedule - steps, outage // schedule) + 1
  fleet:expect { outcome = { "ok", "expired" }, throughout = hours(rest * schedule), runs_out = not survives }
  renewal:stop()
  house:disarm "server-error"
end

for _, group in ipairs(TABLE) do
  local client, lifetime, when_left, schedule, points, between, rows = table.unpack(group)
  for _, row in ipairs(rows) do
    local outage, cells = row[1], row[2]
    for point = 1, points do
      cell(client, lifetime, when_left, schedule, (point - 1) * between, outage, cells:sub(point, point) == "o")
    end
    note(("| %s | %s | %s | %s | %s | %s | `%s` |"):format(client, lifetime, when_left, hours(schedule), hours(outage),
      hours(between * schedule), cells))
  end
end
