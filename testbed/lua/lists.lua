-- lists: the revocation lists of an authority, as whoever keeps them for a target gets them: over HTTP where the
-- authority serves, else from where they are made.  What was fetched is put in place if it can be read, as timers do
-- that: nobody looks at whose it is.

local fakeca = require "fakeca"
local files = require "files"
local host = require "host"

local lists = {}

local LAST = 7 * 86400 -- seconds, by the calendar, as those last that it serves
local PATIENCE = "10"  -- seconds for each, in real time

-- Before anything is started.
function lists.needs(play, who, house)
  for _, program in ipairs(house._serving and { "curl", "openssl" } or {}) do play:needs(who, program, program) end
end

-- One list in PEM, and when there is to be a newer one; nil and why.
local function download(play, url, der)
  local ending, _, why = play:command { "curl", "-sS", "--fail", "--max-time", PATIENCE, "--output", der, url }
  if ending.code ~= 0 then return nil, ("%s: %s"):format(url, why) end
  local text
  ending, text = play:command { "openssl", "crl", "-inform", "DER", "-in", der, "-nextupdate", "-dateopt", "iso_8601" }
  local day, time = text:match "nextUpdate=(%S+) (%S+)"
  if ending.code ~= 0 or not day then return nil, url .. ": what came is no revocation list" end
  return text:match "%-%-%-%-%-BEGIN.*", host.moment(day .. "T" .. time, 0)
end

-- Of its root, and of every intermediate it had.
local function download_all(play, house, path)
  local texts, till = {}, math.huge
  for signer = 0, house._signers do
    local text, next_update = download(play, ("%s/%d.crl"):format(house._facts.crls, signer), path .. ".der")
    if not text then return nil, next_update end
    texts[#texts + 1], till = text, math.min(till, next_update)
  end
  play:must(host.write(path, table.concat(texts, "\n") .. "\n", files.PUBLIC))
  return till
end

-- Writes them to `path`; until when they are good, or nil and why there are none.
function lists.fetch(play, house, path)
  if house._serving then return download_all(play, house, path) end
  fakeca.run(play, { "crl", "--state", house._dir, "--out", path, "--at", fakeca.now(play), "--lifetime",
    LAST .. "s" })
  return play.page:now() + LAST
end

return lists
