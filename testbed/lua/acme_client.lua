-- acme_client: a real ACME client that renews a target's certificate: started on the
-- calendar as a timer would, on the stage, with an account and files of its own.  Whatever chain and key
-- it leaves behind is put on the target's disk, as a deploy hook does, which does not judge either.

local ca = require "ca"
local files = require "files"
local flow = require "flow"
local host = require "host"
local json = require "json"
local tooling = require "tooling"
local words = require "words"

local acme_client = {}

-- Where challenges are answered: at the target's own address.
local function listener(shop)
  return shop._address:match "^%[?(.-)%]?:%d+$"
end

local GRACE = 5 -- seconds that a client which is ended may take to tidy up

-- Runs a command of the client's to its end, at most `patience` long: exit status, and all it said.
local function run(job, argv)
  local play, said = job.play, {}
  local child = play:start_process(argv, { clock = play.clock, dir = job.dir, env = job.env })
  local me, open = flow.self(), 2
  local function keep(next_line)
    play:spawn_flow(function ()
      for line in function () return next_line(child) end do
        said[#said + 1] = line
        play:note("said", { who = job.client, text = line })
      end
      open = open - 1
      flow.wake(me)
    end)
  end
  keep(child.out)
  keep(child.err)
  local ending = child:wait(job.patience)
  if not ending then
    child:signal "TERM"
    if not child:wait(GRACE) then child:signal "KILL" end
    return "it had not ended after " .. host.show_duration(job.patience), said
  end
  if ending.error then words.environment("%s: %s", argv[1], ending.error) end
  local deadline = flow.now() + GRACE -- somebody it started may hold its output open
  while open > 0 and flow.now() < deadline do flow.park(deadline - flow.now()) end
  return ending.code or "signal " .. ending.signal, said
end

local SERVER = "busybox"

local function tool_of(settings)
  return settings.client and tooling.clients[settings.client] or tooling.own(settings.command)
end

-- Looked for before anything is started: programs that Debian has in packages of their names.
function acme_client.needs(play, settings)
  local tool = tool_of(settings)
  if tool.needs then play:needs("renewal", tool.needs, tool.needs) end
  if tool.webroot then play:needs("renewal", SERVER, SERVER) end
end

-- One server at an address, and all who come after it put their challenges there, too.
local function serve_challenges(job)
  local roots, place = job.play.webroots, job.host .. ":" .. job.port
  job.webroot = roots[place] or job.dir .. "/webroot"
  if roots[place] then return end
  roots[place] = job.webroot
  for _, path in ipairs { "", "/.well-known", "/.well-known/acme-challenge" } do
    job.play:must(host.make_directory(job.webroot .. path, files.DIRECTORY))
  end
  job.play:start_process { SERVER, "httpd", "-f", "-p", place, "-h", job.webroot }
end

-- An account and files of its own; from the second time on as if there had never been any.
local function store(job)
  local play = job.play
  play.stores = (play.stores or 0) + 1
  job.dir = ("%s/%s-%d"):format(play.dir, job.client, play.stores)
  play:must(host.make_directory(job.dir, files.DIRECTORY))
  job.first, job.prepared = true, false
end

local function begin(self)
  local play, settings = self._play, self._settings
  local shop, house = settings.of, settings.from
  local tool = tool_of(settings)
  local name = settings.client or "command"
  if tool.bundle and play.isolation ~= "isolated" then words.environment("%s", tool.bundle) end
  local job = {
    play = play, tool = tool, client = name, patience = play:allowing(settings.patience),
    name = (settings.names or { shop._name })[1], names = settings.names or { shop._name },
    directory = house._facts.directory, trust = house._facts.https_root,
    host = listener(shop), port = tostring(play:http_port()), resolves = play.isolation == "isolated",
    must_staple = settings.must_staple,
    days = math.floor(settings.when_left / 86400), failures = 0,
  }
  store(job)
  for _, other in ipairs(job.names) do
    if other ~= shop._name and job.resolves then play:add_host(job.host, other) end
  end
  job.env = tool.env and tool.env(job) or {}
  job.env.TMPDIR = job.dir -- temporary files of a client that is ended early go with the play
  if tool.webroot then serve_challenges(job) end
  return job
end

-- --- one run --------------------------------------------------------------------------------------

-- The first certificate of a chain, as far as it can be read.
local function facts_of(play, path)
  local command = { play.run.options.programs .. "/fakeca", "show", "--json", path }
  local ending, out = play:command(command)
  local list = ending.code == 0 and json.decode(out)
  return list and list[1] or { serial = "unreadable" }
end

-- What went wrong, in the client's own words: what it says of that, or else its last line.
local function last_words(tool, said)
  local text = table.concat(said, "\n")
  for _, pattern in ipairs(tool.blames or {}) do
    local blamed = text:match(pattern)
    if blamed then return blamed end
  end
  for i = #said, 1, -1 do
    if said[i]:find "%S" then return said[i] end
  end
  return "it said nothing"
end

-- What the client left behind, as a chain that a target can be given.
local function brought(job, house, chain, key)
  local play = job.play
  job.count = (job.count or 0) + 1
  local dir = ("%s/brought-%d"):format(job.dir, job.count)
  play:must(host.make_directory(dir, files.DIRECTORY))
  play:must(host.write(dir .. "/chain.pem", chain))
  play:must(host.write(dir .. "/key.pem", key, files.PRIVATE))
  play:must(host.write(dir .. "/trust.pem", play:must(files.read(house._dir .. "/root.pem"))))
  local facts = facts_of(play, dir .. "/chain.pem")
  facts.dir = dir
  return ca.obtained(house, job.name, facts)
end

local function tell(job, text)
  job.play.run.tap:comment(job.play, ("%s: %s"):format(job.client, text))
end

-- The first of a row of failures is told; how many there were, with the success that ends it.
local function tell_failure(job, status, said)
  job.failures = job.failures + 1
  if job.failures == 1 then tell(job, ("failed (%s): %s"):format(status, last_words(job.tool, said))) end
end

local function left_behind(job)
  local chain, key = job.tool.files(job)
  return files.read(chain), files.read(key)
end

local function prepare(job)
  for _, argv in ipairs(job.tool.prepare and job.tool.prepare(job) or {}) do
    local status, said = run(job, argv)
    if status ~= 0 then return nil, status, said end
  end
  job.prepared = true
  return true
end

-- "renewed", "not due" or "failed", with the exit status and what it said.
local function attempt(self, job)
  local before = left_behind(job)
  if not job.prepared then
    local ready, status, said = prepare(job)
    if not ready then return "failed", status, said end
  end
  local status, said = run(job, job.tool.run(job))
  local chain, key = left_behind(job)
  if chain and key and chain ~= before then
    job.first = false
    return "renewed", status, said, brought(job, self._settings.from, chain, key)
  end
  local idle = status == 0 or status == job.tool.idle
  return idle and "not due" or "failed", status, said
end

local function deploy(self, job, chain, began)
  local play, settings = self._play, self._settings
  table.insert(play.phases, { at = began, what = "renewal began" })
  settings.of:_place(chain)
  if settings.reload then settings.of:_reload() end
  local left = chain._facts.not_after
  tell(job, ("certificate %s%s%s"):format(chain._facts.serial, left and ", valid for "
    .. host.show_duration(math.floor(left - play.page:now())) or "",
    job.failures > 0 and (", after %d failed runs"):format(job.failures) or ""))
  job.failures = 0
end

-- A run that is due on the calendar.
local function look(self, job)
  local play = self._play
  local now = play.page:now()
  local last = self._memory.ran
  local early = last and now < last + self._settings.schedule
  if early and now >= last then return end -- a calendar that was moved back holds nothing up
  self._memory.ran = now
  local began = flow.now()
  local result, status, said, chain = attempt(self, job)
  play:note("renewal ran", { client = job.client, result = result, status = status,
    took = flow.now() - began, serial = chain and chain._facts.serial })
  if chain then deploy(self, job, chain, began) end
  if result == "failed" then tell_failure(job, status, said) end
  return result
end

-- What a renewal does at each look; and what it does where its storage is lost: it is started again,
-- with nothing.
function acme_client.new(self)
  local job
  return function ()
    job = job or begin(self)
    return look(self, job)
  end, function ()
    if job then store(job) end
    self._memory.ran = nil
  end
end

return acme_client
