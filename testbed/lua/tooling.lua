-- tooling: the ACME clients that keep certificates fresh in production, started as cron
-- or a timer starts them, with the flags that their manuals give.  An entry:
--
--   needs          its Debian package
--   webroot        true where it writes challenges for a web server, else it listens itself
--   files(job)     where it leaves the newest chain, and its key
--   prepare(job)   what is done once: an account, keys; a list of commands
--   run(job)       one run, which decides by itself whether anything is due: the command
--   env(job)       how it is told whom to trust; or nil: by the stage's bundle
--   idle           the exit status that says that nothing was due, where it is not 0
--   blames         patterns of the line that says what went wrong, best first, where that is not the last line
--
-- A command is an argv.  `job` has dir, name, names, directory (the URL), trust (a PEM file), host and
-- port of its listener, webroot, days (renew when no more than that is left), resolves (whether names
-- do), must_staple (ask for that) and first (nothing was obtained yet).

local files = require "files"
local host = require "host"
local placeholders = require "placeholders"

local tooling = {}

-- { "-d", "a", "-d", "b" } of "-d" and { "a", "b" }
local function each(flag, values)
  local list = {}
  for _, value in ipairs(values) do list[#list + 1], list[#list + 2] = flag, value end
  return list
end

local function staple_flag(flag, job) return job.must_staple and { flag } or {} end

local function joined(...)
  local all = {}
  for _, list in ipairs { ... } do table.move(list, 1, #list, #all + 1, all) end
  return all
end

-- --- certbot ------------------------------------------------------------------------------------

-- It has an option for everything but for when to renew, which is a line in a file of its own.
local function certbot_due(job)
  local path = ("%s/renewal/%s.conf"):format(job.dir, job.name)
  local text = files.read(path)
  if not text then return end
  local line = ("renew_before_expiry = %d days"):format(job.days)
  text = text:gsub("#? *renew_before_expiry = [^\n]*", line, 1)
  host.write(path, text)
end

local certbot = {
  needs = "certbot",
  files = function (job)
    local live = ("%s/live/%s/"):format(job.dir, job.name)
    return live .. "fullchain.pem", live .. "privkey.pem"
  end,
  env = function (job) return { REQUESTS_CA_BUNDLE = job.trust } end,
  blames = { "\n *Detail: ([^\n]+)", "with error: ([^\n]+)", "An unexpected error occurred:\n([^\n]+)",
    "([^\n]+)\nAsk for help or search" },
}

function certbot.run(job)
  local always = { "certbot", "-n", "--config-dir", job.dir, "--work-dir", job.dir, "--logs-dir", job.dir,
    "--server", job.directory }
  if job.first then
    return joined(always, { "certonly", "--standalone", "--http-01-address", job.host, "--http-01-port", job.port,
      "--agree-tos", "-m", "admin@" .. job.name }, staple_flag("--must-staple", job), each("-d", job.names))
  end
  certbot_due(job)
  return joined(always, { "renew", "--no-random-sleep-on-renew" })
end

-- --- lego ---------------------------------------------------------------------------------------

local lego = {
  needs = "lego",
  files = function (job)
    local path = ("%s/certificates/%s"):format(job.dir, job.name)
    return path .. ".crt", path .. ".key"
  end,
  env = function (job) return { LEGO_CA_CERTIFICATES = job.trust } end,
}

function lego.run(job)
  local always = joined({ "lego", "--server", job.directory, "--accept-tos", "--email", "admin@" .. job.name,
    "--path", job.dir, "--http", "--http.port", job.host .. ":" .. job.port }, each("--domains", job.names))
  local how = staple_flag("--must-staple", job)
  if job.first then return joined(always, { "run" }, how) end
  return joined(always, { "renew", "--days", tostring(job.days), "--no-random-sleep" }, how)
end

-- --- dehydrated ---------------------------------------------------------------------------------

local dehydrated = {
  needs = "dehydrated",
  webroot = true,
  env = function (job) return { CURL_CA_BUNDLE = job.trust } end, -- its CURL_OPTS are split at spaces
  files = function (job)
    local certs = ("%s/certs/%s/"):format(job.dir, job.name)
    return certs .. "fullchain.pem", certs .. "privkey.pem"
  end,
  blames = { '%["error","detail"%]\t"([^"\n]+)', "ERROR: ([^\n]+)" },
}

local DEHYDRATED = [[
CA="%directory"
WELLKNOWN="%webroot/.well-known/acme-challenge"
BASEDIR="%dir"
RENEW_DAYS=%days
KEYSIZE=2048
OCSP_MUST_STAPLE=%staple
]]

function dehydrated.prepare(job)
  local values = setmetatable({ staple = job.must_staple and "yes" or "no" }, { __index = job })
  host.write(job.dir .. "/config", (DEHYDRATED:gsub("%%(%a+)", values)))
  return { { "dehydrated", "-f", job.dir .. "/config", "--register", "--accept-terms" } }
end

function dehydrated.run(job)
  return joined({ "dehydrated", "-f", job.dir .. "/config", "-c" }, each("-d", { table.concat(job.names, " ") }))
end

-- --- acme-tiny ----------------------------------------------------------------------------------

local acme_tiny = {
  needs = "acme-tiny",
  webroot = true,
  files = function (job) return job.dir .. "/chain.pem", job.dir .. "/domain.key" end,
  env = function (job) return { SSL_CERT_FILE = job.trust } end,
}

local function openssl(...) return { "openssl", ... } end

function acme_tiny.prepare(job)
  local names = {}
  for i, name in ipairs(job.names) do names[i] = "DNS:" .. name end
  local request = openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/",
    "-addext", "subjectAltName=" .. table.concat(names, ","), "-keyout", job.dir .. "/domain.key",
    "-out", job.dir .. "/domain.csr")
  return {
    openssl("genrsa", "-out", job.dir .. "/account.key", "2048"),
    joined(request, job.must_staple and { "-addext", "tlsfeature=status_request" } or {}),
  }
end

-- It does not ask whether a renewal is due; the line in everybody's crontab does.
local CRONTAB = [[
openssl x509 -checkend "$1" -noout -in "$2/chain.pem" >/dev/null 2>&1 && exit 0
shift
acme-tiny --account-key "$1/account.key" --csr "$1/domain.csr" --directory-url "$2" \
    --acme-dir "$3" $4 >"$1/new.pem" && mv "$1/new.pem" "$1/chain.pem"]]

function acme_tiny.run(job)
  return { "sh", "-c", CRONTAB, "acme-tiny", tostring(job.days * 86400), job.dir, job.directory,
    job.webroot .. "/.well-known/acme-challenge", job.resolves and "" or "--disable-check" }
end

-- --- uacme --------------------------------------------------------------------------------------

local uacme = {
  needs = "uacme",
  webroot = true,
  idle = 1,
  files = function (job)
    return ("%s/%s/cert.pem"):format(job.dir, job.name), ("%s/private/%s/key.pem"):format(job.dir, job.name)
  end,
  blames = { '"detail": "([^"\n]+)' },
}

-- Its 1.7 takes no bundle of roots: it has to be the machine's.
uacme.bundle = "uacme trusts the machine's bundle alone, which only a stage with namespaces can replace"

local HOOK = [[
#!/bin/sh
[ "$2" = http-01 ] || exit 1
case $1 in
begin) printf %s "$5" >"%webroot/.well-known/acme-challenge/$4" ;;
*) rm -f "%webroot/.well-known/acme-challenge/$4" ;;
esac
]]

function uacme.prepare(job)
  host.write(job.dir .. "/hook", HOOK:gsub("%%webroot", { ["%webroot"] = job.webroot }), files.PROGRAM)
  return { { "uacme", "-y", "-a", job.directory, "-c", job.dir, "new", "admin@" .. job.name } }
end

function uacme.run(job)
  return joined({ "uacme", "-a", job.directory, "-c", job.dir, "-h", job.dir .. "/hook", "-d", tostring(job.days) },
    staple_flag("-m", job), { "issue" }, job.names)
end

-- --- anybody else's -----------------------------------------------------------------------------

tooling.placeholders = { "dir", "name", "names", "directory", "trust", "host", "port", "webroot", "days" }

-- A command of the scenario's, in which these words stand for the job's own; {names} with commas between.
function tooling.own(command)
  return {
    webroot = true,
    files = function (job) return job.dir .. "/chain.pem", job.dir .. "/key.pem" end,
    run = function (job)
      local values = { names = table.concat(job.names, ","), days = tostring(job.days) }
      for _, name in ipairs(tooling.placeholders) do values[name] = values[name] or job[name] end
      return { "/bin/sh", "-c", placeholders.fill(command, values) }
    end,
  }
end

-- ------------------------------------------------------------------------------------------------

tooling.clients = {
  certbot = certbot, lego = lego, dehydrated = dehydrated, ["acme-tiny"] = acme_tiny, uacme = uacme,
}
tooling.names = { "certbot", "lego", "dehydrated", "acme-tiny", "uacme" }

return tooling
