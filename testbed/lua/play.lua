-- One play: a scenario file, the stage it runs on, and everything it started.
--
-- A play runs twice.  The dry run executes the script with every act checked and none done: it
-- finds the mistakes before anything is started, and tells which points there will be. The real run
-- does the same for good.  Both end in teardown, backwards.

local clocks = require "clocks"
local files = require "files"
local flow = require "flow"
local host = require "host"
local stage = require "stage"
local words = require "words"

local PATIENCE = 120 -- seconds for a scenario that does not say how long it takes

local Play = {}
Play.__index = Play

-- `run` is what all plays of one command share: options, tap, journal, faults, outcomes.
-- `rehearsal` is the dry run that found no mistake, or nil: then this is the dry run.
function Play.new(run, path, number, rehearsal)
  return setmetatable({
    run = run, path = path, number = number, dry = rehearsal == nil,
    outward = rehearsal and rehearsal.outward or false, -- some target is outside the stage
    title = false, tags = {},
    limit = rehearsal and rehearsal.limit or PATIENCE, -- real seconds; beyond that it is given up
    section = false, heading = false, -- what the script is at
    points = {},                      -- every expect: { section, heading, text, met, details }
    expected = {},                    -- sections in which something was expected
    acted = false,                    -- something was done since the last heading, and not only expected
    judges = {},                      -- run when the script has said all
    actors = {},                      -- { period =, act = }, perhaps name, tally, rests: who acts by the calendar
    names = {}, namers = {},          -- { address, name } of the stage, and who is told of them
    closers = {},                     -- run backwards at the end
    flows = {},                       -- helper flows, stopped at the end
    nouns = { ca = 0 },               -- how many there are
    bundles = 0,
    targets = {},
    fleets = {},
    authorities = {},                 -- processes that serve ACME, OCSP and the like
    effects = {},                     -- faults injected and what undid them, in order
    phases = {},                      -- steps of recovery, in order
    workers = {},
    missing = {},                     -- lines: programs that it needs and that are not here
    followers = {},                   -- clocks that are off the calendar by a skew: clocks.lua
    webroots = {},                    -- HOST:PORT -> directory, of servers that answer challenges
    main = false,                     -- flow number of the script
    dir = false, stage = false, isolation = false,
  }, Play)
end

-- What a scenario allows of real seconds, on a machine as busy as this one is said to be.
function Play:allowing(seconds)
  return seconds * self.run.options.slack
end

-- --- journal and timeline -------------------------------------------------------------------

function Play:note(kind, facts)
  if self.dry then return end
  local all = { scenario = self.title or self.path, virtual = self.page and self.page:now() or nil }
  for key, value in pairs(facts) do all[key] = value end
  self.run.journal:note(kind, all)
end

-- Something that changes what clients see, and when it began; the way back is timed from here.
function Play:effect(text, began)
  if self.dry then return end
  table.insert(self.effects, { at = began, text = text, section = self.section })
  self:note("effect", { text = text, section = self.section })
end

-- A step on the way back that somebody of ours took: "order placed", "issued", "on disk", ...
function Play:phase(what, serial)
  table.insert(self.phases, { at = flow.now(), what = what, serial = serial })
end

-- --- flows ------------------------------------------------------------------------------------

-- A helper that runs beside the script; its error ends the play.
function Play:spawn_flow(body)
  local id
  id = flow.start(function ()
    local ok, why = xpcall(body, function (e)
      return words.is_ending(e) and e or debug.traceback(tostring(e), 2)
    end)
    self.flows[id] = nil
    if not ok and self.main then
      flow.interrupt(self.main, words.is_ending(why) and why or words.ending("environment", why))
    end
  end)
  self.flows[id] = true
  return id
end

function Play:on_close(action)
  table.insert(self.closers, action)
end

-- Runs `action` when the script has said all and before anything is torn down: it may still fail the
-- play.
function Play:at_end(action)
  table.insert(self.judges, action)
end

function Play:teardown()
  for id in pairs(self.flows) do flow.stop(id) end
  self.flows = {}
  for i = #self.closers, 1, -1 do
    local ok, why = pcall(self.closers[i])
    if not ok then self:note("teardown failed", { why = tostring(why) }) end
  end
  self.closers = {}
end

-- `who` needs a program, of this Debian package: looked for before anything is started.
function Play:needs(who, program, package)
  if files.on_path(program) then return end
  table.insert(self.missing, words.here(("%s needs %s, Debian package %s"):format(who, program, package)))
end

-- --- the stage ----------------------------------------------------------------------------------

local function slug(title)
  local text = title:lower():gsub("[^%w]+", "-"):gsub("^%-+", ""):gsub("%-+$", "")
  return text:sub(1, 40)
end

-- What the stage shows in the place of files of the machine: its names, whom to ask about names, and
-- whom programs trust that are not told.  They begin with nobody.
local FURNITURE = {
  { "/etc/hosts", "hosts", "127.0.0.1 localhost\n" },
  { "/etc/resolv.conf", "resolv.conf", "nameserver 127.0.0.1\n" },
  { "/etc/ssl/certs/ca-certificates.crt", "trusted.pem", "" },
}

function Play:furnish()
  local list = {}
  for _, piece in ipairs(FURNITURE) do
    local path, file = piece[1], self.dir .. "/" .. piece[2]
    self:must(host.write(file, piece[3]))
    if files.read(path) then list[#list + 1] = path .. "=" .. file end
  end
  return list
end

-- Opened when the first noun needs it: by then the play knows whether it looks outward.
function Play:open_stage()
  if self.stage then return end
  local options = self.run.options
  self.dir = ("%s/%02d-%s"):format(self.run.state, self.number, slug(self.title))
  host.remove_tree(self.dir) -- of an earlier run with the same state directory, if any
  self:must(host.make_directory(self.dir, files.DIRECTORY))
  self.clock = self:must(clocks.new(self.dir))
  self.page = self.clock.page
  self.stage = self:must(stage.open {
    init = options.programs .. "/stage-init", outward = self.outward,
    show = not self.outward and self:furnish() or {},
  })
  self:on_close(function () self.stage:close() end)
  local isolation, why = self.stage:ready()
  if isolation == nil then words.environment("%s", why) end
  self.isolation = isolation
  self:note("stage", { isolation = isolation, why = why, dir = self.dir })
  if isolation == "shared" then self.run:warn_once("no namespaces here: " .. why
    .. "; using plain loopback and process groups") end
end

-- A name of the stage's own; /etc/hosts there is this very file, so it is written in place.
function Play:add_host(address, name)
  local file = self:must(io.open(self.dir .. "/hosts", "a"))
  file:write(address, " ", name, "\n")
  file:close()
  table.insert(self.names, { address, name })
  for _, tell in ipairs(self.namers) do tell(address, name) end
end

-- Tells of all names of the stage, those to come too: tell(address, name).
function Play:each_name(tell)
  table.insert(self.namers, tell)
  for _, known in ipairs(self.names) do tell(known[1], known[2]) end
end

-- The port for plain HTTP: on a stage of its own the protocol's, else one that is free.
function Play:http_port()
  self.plain_port = self.plain_port or self.isolation == "isolated" and 80 or self:must(host.free_port())
  return self.plain_port
end

-- What the machine must be able to do; `value` is handed on.
function Play.must(_, value, why)
  if value == nil or value == false then words.environment("%s", tostring(why)) end
  return value
end

-- Servers live in sbin, which is not on everybody's PATH.
local function environment_of(extra)
  local path = (os.getenv "PATH" or "/usr/bin:/bin") .. ":/usr/sbin:/sbin"
  local list = { "PATH=" .. path, "LANG=C.UTF-8", "TZ=UTC" }
  for name, value in pairs(extra or {}) do list[#list + 1] = name .. "=" .. value end
  return list
end

-- The dynamic linker takes spaces and colons in LD_PRELOAD for ends of names: ld.so(8).
local function preloadable(path)
  return not path:find "[ :]"
end

-- A link to the shim, where fakeclock cannot preload it from where it lies (faketime/preload.h); else nil.
function Play:shim_link()
  local path, link = self.run.options.programs .. "/libfakeclock.so", self.dir .. "/libfakeclock.so"
  if preloadable(path) or not path:find "[:;]" then return nil end
  if not preloadable(link) then
    words.environment("%s: cannot be preloaded; expected a path without colons and semicolons, or a --state "
      .. "without spaces and colons", path)
  end
  self:must(host.link(path, link))
  return link
end

-- The same command on a clock of the stage, whatever its program is made of: docs/fakeclock.md.
function Play:on_clock(clock, argv)
  return { self.run.options.programs .. "/fakeclock", "run", clock.file, "--", table.unpack(argv) }
end

-- A file that the scenario names: relative paths start beside it.
function Play:file_beside(path)
  return files.absolute(path, files.directory_of(self.path))
end

-- A process on the stage.  settings.clock: what it lives on, such as the calendar, play.clock; or nil: real time.
function Play:start_process(argv, settings)
  settings = settings or {}
  local env = {}
  for name, value in pairs(settings.env or {}) do env[name] = value end
  if settings.clock then env.LD_PRELOAD = self:shim_link() end
  local child = self:must(self.stage:spawn {
    argv = settings.clock and self:on_clock(settings.clock, argv) or argv, env = environment_of(env),
    dir = settings.dir or self.dir, input = settings.input or false,
  })
  self:note("spawn", { argv = argv, clock = settings.clock and settings.clock.file })
  return child
end

-- Runs a command to its end: its status and what it printed.  `patience`: it is killed after so many seconds.
function Play:command(argv, settings)
  local child = self:start_process(argv, settings)
  local watchdog = settings and settings.patience and self:spawn_flow(function ()
    flow.park(settings.patience)
    child:signal "KILL"
  end)
  local me, errors, lines = flow.self(), {}, {}
  local reading = true
  self:spawn_flow(function ()
    for line in function () return child:err() end do errors[#errors + 1] = line end
    reading = false
    flow.wake(me)
  end)
  for line in function () return child:out() end do lines[#lines + 1] = line end
  local ending = child:wait()
  while reading do flow.park() end
  if watchdog then flow.stop(watchdog) end
  return ending, table.concat(lines, "\n"), table.concat(errors, "\n")
end

-- --- sections and points ------------------------------------------------------------------------

-- Before anything else is expected, what was done must have taken effect: a reload that a target
-- refused is no fault and no recovery, unless the scenario expects just that.
function Play:settle()
  for _, aim in ipairs(self.targets) do
    local why = aim._refused
    if why then
      aim._refused = nil
      error(words.ending("failed", ("%s refused what it was given: %s (expect { reload = \"refused\" } "
        .. "where that is meant)"):format(aim._name, why)), 0)
    end
  end
end

function Play:enter(section, heading)
  if not self.title then words.mistake("%s before scenario \"...\"", section) end
  if section ~= "steady" and not self.expected.steady then
    words.mistake("%s without a steady state: expect something under a steady heading first", section)
  end
  if section == "recover" and not self.expected.inject then
    words.mistake "recover without a fault: expect something under an inject heading first"
  end
  self:leave()
  self:settle()
  self.acted = false
  if section == "inject" and self.section == "recover" then self:end_story() end
  self.section, self.heading = section, heading
  self:note("section", { section = section, heading = heading })
  self.run.tap:comment(self, section .. ": " .. heading)
end

-- One fault and its way back are told; the next begins anew.
function Play:end_story()
  if self.dry then return end
  self.run:tell_way_back(self)
  self.effects, self.phases = {}, {}
  for _, fleet in ipairs(self.fleets) do
    for _, who in ipairs(fleet._classes) do who:forget() end
  end
end

-- A heading under which nothing was expected proves nothing.  A fault that the script did not inject may be
-- somebody else's work, so that is only told.
function Play:leave()
  if self.section == "inject" and not self.acted then
    self.run.tap:comment(self, ("the script did nothing under inject \"%s\""):format(self.heading))
  end
  if self.section and not self.expected[self.section] then
    words.mistake("nothing was expected under %s \"%s\"", self.section, self.heading)
  end
end

-- An expectation was met or not.  In the dry run it is only counted.
function Play:point(text, met, details)
  if not self.section then
    words.mistake("expect before the first heading: steady, inject or recover")
  end
  self.expected[self.section] = true
  local point = {
    section = self.section, heading = self.heading, met = met, details = details,
    text = ("%s: %s (%s)"):format(self.section, self.heading, text),
  }
  table.insert(self.points, point)
  if self.dry then return end
  if not met then details.at = words.place() end
  self:note("expect", { section = self.section, text = text, met = met, details = details })
  self.run.tap:point(self, point)
  if met then return end
  local kind = point.details and point.details.no_data and "environment"
    or self.section == "steady" and "unsteady" or "failed"
  error(words.ending(kind, point.text), 0)
end

-- --- running --------------------------------------------------------------------------------------

-- The words a script may use: its whole environment.
local function environment_for(play)
  local scene = require "scene"
  local vocabulary = scene.vocabulary(play)
  for _, name in ipairs { "assert", "error", "ipairs", "next", "pairs", "select", "tonumber", "tostring", "type" } do
    vocabulary[name] = _G[name]
  end
  for _, name in ipairs { "math", "string", "table" } do
    local copy = {}
    for key, value in pairs(_G[name]) do copy[key] = value end
    vocabulary[name] = copy
  end
  -- a scenario goes the same way each time; and one call must not compute for ever
  vocabulary.math.random, vocabulary.math.randomseed, vocabulary.table.move = nil, nil, nil
  return setmetatable({}, {
    __index = function (_, name)
      if vocabulary[name] ~= nil then return vocabulary[name] end
      return words.mistake("unknown word '%s'%s", tostring(name),
        words.suggestion(tostring(name), words.keys(vocabulary)))
    end,
    __newindex = function (_, name)
      words.mistake("'%s' is not declared: write local %s = ...", tostring(name), tostring(name))
    end,
    __metatable = false,
  })
end

-- Called where it happens: what is no text does not know its line any more when it is caught.
local function told(path, value)
  if words.is_ending(value) or type(value) == "string" then return value end
  local what = value == nil and "nothing" or "a " .. type(value)
  return words.ending("usage", words.here(("error: expected a text, not %s"):format(what), path))
end

local NO_MEMORY = "not enough memory" -- Lua's own word, without a place

local function ending_of(path, value)
  if words.is_ending(value) then return value end
  if value == NO_MEMORY then
    return words.ending("usage", ("%s: needs more memory than a scenario may have, which is 1 GiB"):format(path))
  end
  -- Lua's own errors in a script carry its path and line; in our own code they are our own
  local text = value:gsub("\nstack traceback.*", "")
  local theirs = text:sub(1, #path) == path or not text:find "^testbed/"
  return words.ending(theirs and "usage" or "environment", text)
end

function Play:perform()
  local text, why = files.read(self.path)
  if text == nil then return words.ending("usage", why) end
  local chunk
  chunk, why = load(text, "@" .. self.path, "t", environment_for(self))
  if chunk == nil then
    if why:sub(1, #self.path) ~= self.path then why = self.path .. ": " .. why end
    return words.ending("usage", why)
  end
  self.main = flow.self()
  self.run.playing[self.main] = self
  self.text = text
  local watchdog = not self.dry and self:spawn_flow(function ()
    local limit = self.run.options.timeout or self:allowing(self.limit)
    flow.park(limit)
    flow.interrupt(self.main, words.ending("environment",
      ("%s: gave up after %s; expected timeout \"20m\" in the scenario, or --timeout 20m, where it takes longer")
        :format(self.path, host.show_duration(limit))))
  end)
  local ok, problem = xpcall(function ()
    chunk()
    if not self.title then words.mistake("no scenario \"...\" in it") end
    if not self.expected.steady then words.mistake("nothing is expected of the steady state") end
    self:leave()
    self:settle()
    for _, fleet in ipairs(self.fleets) do fleet:_tell_unjudged() end
    for _, judge in ipairs(self.judges) do judge() end
  end, function (e) return told(self.path, e) end)
  if watchdog then flow.stop(watchdog) end
  self:teardown()
  self.run.playing[self.main] = nil
  self.main = false
  return not ok and ending_of(self.path, problem) or nil
end

return Play
