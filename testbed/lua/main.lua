-- The verbs of `rehearse`.

local files = require "files"
local flow = require "flow"
local host = require "host"
local json = require "json"
local journal = require "journal"
local live = require "live"
local Play = require "play"
local reference = require "reference"
local status = require "status"
local tap = require "tap"
local target = require "target"
local wayback = require "wayback"
local words = require "words"
local worker = require "worker"

local function complain(format, ...)
  io.stderr:write("rehearse: ", format:format(...), "\n")
end

local unsaid -- why stdout does not take what is said

-- A line on stdout.  Lua's print does not tell when nobody gets it.
local function say(line)
  local _, why, number = io.stdout:write(line, "\n")
  if why and number ~= tap.BROKEN_PIPE then unsaid = unsaid or why end
end

-- --- tables that other programs own -----------------------------------------------------------

-- Asked before anything runs, so it may block.
local function ask(options, program, arguments)
  local lines, good = files.lines_of(files.quoted(options.programs .. "/" .. program) .. " " .. arguments)
  local value = good and json.decode(table.concat(lines, "\n"))
  if not value then words.environment("%s/%s does not answer; is it built?", options.programs, program) end
  return value
end

local function keyed(rows, key)
  local by = {}
  for _, row in ipairs(rows) do by[row[key]] = row end
  return by
end

local function faults_table(options) return ask(options, "fakeca", "faults --json") end

local function misbehaviours_table(options) return ask(options, "fakeca", "faults --serve --json") end

local function outcomes_table(options)
  return ask(options, "client-" .. worker.libraries[1], "--outcomes --json")
end

-- --- finding scenarios --------------------------------------------------------------------------

-- Files as given, directories as the .lua files below them, sorted.
local function scenarios_in(paths)
  local list = {}
  for _, path in ipairs(paths) do
    local found = { path }
    if files.is_directory(path) then
      local why
      found, why = host.files_below(path, ".lua")
      if not found then return nil, why end
      table.sort(found)
      if #found == 0 then return nil, path .. ": no *.lua file in this directory" end
    end
    table.move(found, 1, #found, #list + 1, list)
  end
  return list
end

-- --- a run --------------------------------------------------------------------------------------

local Run = {}
Run.__index = Run

local function seed_of(options)
  local text = options.seed or "1"
  return text:find "^%d+$" and math.tointeger(tonumber(text))
end

local function new_run(options)
  local run = setmetatable({
    options = options, playing = {}, seed = seed_of(options), warned = {},
    live = live.new(), worst = status.met, interrupted = false, played = 0,
  }, Run)
  run.tap = tap.new(options.tap, run.live)
  run.faults = keyed(faults_table(options), "name")
  run.misbehaviours = keyed(misbehaviours_table(options), "name")
  run.outcomes = keyed(outcomes_table(options), "outcome")
  words.path_of_running = function ()
    local current = coroutine.isyieldable() and run.playing[flow.self()]
    return current and current.path
  end
  return run
end

function Run:warn_once(text)
  if self.warned[text] then return end
  self.warned[text] = true
  self.live:hide()
  complain("%s", text)
end

-- What went wrong in one scenario and what in another: the graver wins.
local GRAVITY = {}
for rank, word in ipairs { "met", "failed", "unsteady", "environment", "guarded", "usage" } do
  GRAVITY[status[word]] = rank
end

function Run:blame(code)
  if (GRAVITY[code] or 99) > (GRAVITY[self.worst] or 99) then self.worst = code end
end

local function has_tag(play, wanted)
  for _, tag in ipairs(play.tags) do
    if tag == wanted then return true end
  end
end

-- Those that take long are played by name, or when they are asked for.
local function leave_out_long(options, rehearsals)
  local named = {}
  for _, path in ipairs(options.files) do named[path] = true end
  for _, play in ipairs(rehearsals) do
    if has_tag(play, "long") and not options.long and not named[play.path] then
      play.unsuited = play.unsuited or "takes long: --long plays it, or its own name does"
    end
  end
end

-- Every file is tried dry: the mistakes are told, and the rehearsals returned. The first scenario that
-- may not be is what a guard rail says.
local function try_all(run, paths)
  local rehearsals = {}
  for number, path in ipairs(paths) do
    local play = Play.new(run, path, number)
    local problem = play:perform()
    if problem then
      complain("%s", problem.text)
      run:blame(status[problem.kind] or status.usage)
      if problem.kind == "guarded" then run.guarded = run.guarded or problem.text end
    end
    rehearsals[number] = play
  end
  return rehearsals
end

-- A new directory below $TMPDIR that nobody has.
local function fresh_directory()
  local base, why = os.getenv "TMPDIR", nil
  base = files.absolute(base and base ~= "" and base or "/tmp")
  for try = 1, 100 do
    local path = ("%s/rehearse-%d-%d"):format(base, host.pid(), try)
    local made
    made, why = host.make_directory(path, files.DIRECTORY)
    if made then return path end
    if not why:find "exists" then break end
  end
  words.environment("cannot make a state directory below $TMPDIR: %s", why)
end

-- The one that was named: new, or ours from an earlier run.
local function named_directory(path)
  path = files.absolute(path)
  local made, why = host.make_directory(path, files.DIRECTORY)
  if made then return path end
  if not why:find "exists" then words.environment("cannot make the state directory %s", why) end
  local empty = files.is_directory(path) and #files.lines_of("ls -A " .. files.quoted(path)) == 0
  if not empty and not files.read(path .. "/.rehearse") then
    words.mistake("--state: %s: exists and is no state directory of rehearse; name a new one", path)
  end
  return path
end

local function state_directory(options)
  local path = options.state and named_directory(options.state) or fresh_directory()
  local locked, why = host.lock(path .. "/.rehearse")
  if not locked then
    words.environment("%s", why)
  end
  return path
end

function Run:tell_way_back(play)
  local report = wayback.of(play)
  if not report then return end
  play:note("way back", report)
  for _, line in ipairs(wayback.lines(report)) do self.tap:comment(play, line) end
end

local function perform(run, rehearsal)
  local play = Play.new(run, rehearsal.path, rehearsal.number, rehearsal)
  if rehearsal.unsuited then
    play.title = rehearsal.title
    run.tap:begin(play)
    run.tap:skip(play, play.title, rehearsal.unsuited)
    run.tap:finish(play)
    return
  end
  run.played = run.played + 1
  run.live:add(play)
  local problem = play:perform()
  run.live:remove(play)
  if not play.title then -- it was there a moment ago
    complain("%s", problem.text)
    return run:blame(status.usage)
  end
  local told = #play.points > 0 and not play.points[#play.points].met
  if problem and problem.kind ~= "interrupted" and not told then run.tap:broken(play, problem.text) end
  if not problem and #play.points ~= #rehearsal.points then
    problem = words.ending("failed", "this time the script went another way than when it was tried")
    run.tap:broken(play, problem.text)
  end
  for i = #play.points + 1, #rehearsal.points do
    run.tap:skip(play, rehearsal.points[i].text, problem and problem.kind == "interrupted" and "interrupted"
      or "not reached")
  end
  run:tell_way_back(play)
  run.tap:finish(play)
  if problem then run:blame(status[problem.kind] or status.environment) end
  play:note("scenario over", { problem = problem and problem.text, status = problem and problem.kind or "met" })
end

-- Runs the rehearsals, `-j` at a time, and waits for all.
local function perform_all(run, rehearsals)
  local me, next_one, busy = flow.self(), 1, 0
  local function worker_flow()
    while rehearsals[next_one] and not run.interrupted do
      local mine = rehearsals[next_one]
      next_one = next_one + 1
      perform(run, mine)
    end
    busy = busy - 1
    flow.wake(me)
  end
  for _ = 1, math.max(1, math.min(run.options.j, #rehearsals)) do
    busy = busy + 1
    flow.start(worker_flow)
  end
  while busy > 0 do flow.park() end
end

-- Ctrl-C: every play ends as if its script had failed there, and is torn down.
local function watch_for_interrupt(run)
  return flow.start(function ()
    local number = host.next_signal()
    run.interrupted = number
    run.live:hide()
    complain("interrupted; tearing down")
    for id in pairs(run.playing) do
      flow.interrupt(id, words.ending("interrupted", "interrupted"))
    end
  end)
end

local function clean_up(run, journal_path)
  local keep = run.options.state or run.options.keep or run.worst ~= status.met or run.interrupted
  if not keep then
    host.remove_tree(run.state)
  elseif run.worst ~= status.met or run.interrupted or run.options.keep then
    complain("journal: %s", journal_path)
  end
end

-- Whether every program is here that those need which are to be played; each that is not is told.
local function equipped(run, rehearsals)
  for _, play in ipairs(rehearsals) do
    for _, line in ipairs(not play.unsuited and play.missing or {}) do
      complain("%s", line)
      run:blame(status.environment)
    end
  end
  return run.worst == status.met
end

local verbs = {}

-- What of the options only Lua can judge; the line to say, or nil.
local function misuse(options)
  if #options.files == 0 then
    return ("%s: no scenario given; expected files or directories, such as scenarios/expiry"):format(options.verb)
  end
  if options.target and not pcall(target.adapter, options.target) then
    return ("unknown target '%s'%s"):format(options.target, words.suggestion(options.target, target.kinds))
  end
  if options.config then
    local _, why = files.read(options.config)
    if why then return "--config: " .. why end
  end
  if not seed_of(options) then return ("--seed: '%s' is not a whole number, 0 or more"):format(options.seed) end
  if options.timeout and options.timeout <= 0 then return "--timeout: expected a duration above 0, such as 20m" end
  if options.tap ~= 13 and options.tap ~= 14 then
    return ("--tap: there is no TAP %d here; expected 13 or 14"):format(options.tap)
  end
  if options.j < 1 then return "-j: expected 1 or more" end
  if options.slack < 1 then return "--slack: expected 1 or more" end
end

local function uses_nginx(rehearsals)
  for _, play in ipairs(rehearsals) do
    for _, aim in ipairs(play.targets) do
      if aim._kind == "nginx" then return true end
    end
  end
end

-- Finds the scenarios and tries them dry: (run, rehearsals), or nil and the exit status.
local function rehearsed(options)
  local why = misuse(options)
  local paths
  if not why then paths, why = scenarios_in(options.files) end
  if why then
    complain("%s", why)
    return nil, status.usage
  end
  local run = new_run(options)
  local rehearsals = try_all(run, paths)
  if run.worst == status.met and options.config and not uses_nginx(rehearsals) then
    complain "--config is for nginx; expected --target nginx with it"
    run.worst = status.usage
  end
  if run.guarded then
    run.tap:start()
    run.tap:bail_out(run.guarded)
  end
  if run.worst ~= status.met then return nil, run.worst end
  return run, rehearsals
end

function verbs.validate(options)
  local run, rehearsals = rehearsed(options)
  if not run then return rehearsals end
  if not equipped(run, rehearsals) then return run.worst end
  for _, play in ipairs(rehearsals) do
    say(("%s: %s: %d expectation%s"):format(play.path, play.title, #play.points, #play.points == 1 and "" or "s"))
  end
  return status.met
end

function verbs.run(options)
  local run, rehearsals = rehearsed(options)
  if not run then return rehearsals end
  leave_out_long(options, rehearsals)
  if not equipped(run, rehearsals) then return run.worst end
  run.state = state_directory(options)
  local journal_path = options.journal or run.state .. "/journal.jsonl"
  local opened, why = journal.open(journal_path)
  if not opened then
    if not options.state then host.remove_tree(run.state) end
    words.environment("journal: %s", why)
  end
  run.journal = opened
  run.journal:note("run", { files = options.files, seed = run.seed, target = options.target,
    programs = options.programs })
  local watcher = watch_for_interrupt(run)
  run.tap:start()
  perform_all(run, rehearsals)
  flow.stop(watcher)
  run.live:hide()
  if run.interrupted then run.tap:bail_out "interrupted" end
  run.tap:plan()
  if run.tap.lost then
    complain("cannot write to stdout: %s", run.tap.lost)
    run:blame(status.environment)
  end
  if run.played == 0 and not run.interrupted then
    complain("nothing was played: %s: %s", rehearsals[1].path, rehearsals[1].unsuited)
    run:blame(status.environment)
  end
  run.journal:note("run over", { status = run.worst, interrupted = run.interrupted or nil })
  clean_up(run, journal_path)
  return run.interrupted and status.signalled + run.interrupted or run.worst
end

-- --- listings -------------------------------------------------------------------------------------

-- Rows of named columns, as text, JSON or Markdown.
local function print_rows(options, columns, rows)
  if options.json then
    say(json.encode(json.array(rows)))
    return
  end
  if options.markdown then
    say("| " .. table.concat(columns, " | ") .. " |")
    say("|" .. (" --- |"):rep(#columns))
    for _, row in ipairs(rows) do
      local cells = {}
      for i, column in ipairs(columns) do cells[i] = tostring(row[column] or ""):gsub("|", "\\|") end
      say("| " .. table.concat(cells, " | ") .. " |")
    end
    return
  end
  local widths, heads = {}, {}
  for _, column in ipairs(columns) do heads[column] = column:upper() end
  table.insert(rows, 1, heads)
  for _, row in ipairs(rows) do
    for i, column in ipairs(columns) do widths[i] = math.max(widths[i] or 0, #tostring(row[column] or "")) end
  end
  for _, row in ipairs(rows) do
    local cells = {}
    for i, column in ipairs(columns) do
      local text = tostring(row[column] or "")
      cells[i] = i == #columns and text or text .. (" "):rep(widths[i] - #text)
    end
    say((table.concat(cells, "  "):gsub("%s+$", "")))
  end
end

-- The words of a scenario's tags, and what its keyed tags say.
local function tags_of(play)
  local list, facts = json.array {}, {}
  for key, value in pairs(play.tags) do
    if math.type(key) == "integer" then list[#list + 1] = value else facts[key] = value end
  end
  return list, facts
end

-- Those of the folder one is in, as in the source; else those that were installed.
local function usual_places(options)
  local prefix = options.programs:match "^(.*)/lib/rehearse$"
  local installed = prefix and prefix .. "/share/rehearse/scenarios"
  for _, path in ipairs { "scenarios", installed } do
    if files.is_directory(path) then return { path } end
  end
end

function verbs.list(options)
  local places = #options.files > 0 and options.files or usual_places(options)
  local paths, why
  if places then
    paths, why = scenarios_in(places)
  else
    why = "list: there is no folder scenarios/ here; expected files or directories"
  end
  if not paths then
    complain("%s", why)
    return status.usage
  end
  local run = new_run(options)
  local rows = {}
  for i, play in ipairs(try_all(run, paths)) do
    local kinds = {}
    for _, aim in ipairs(play.targets) do
      for _, kind in ipairs(aim._settings) do
        if not kinds[kind] then kinds[kind], kinds[#kinds + 1] = true, kind end
      end
    end
    local tags, facts = tags_of(play)
    rows[i] = { file = play.path, title = play.title or "?", targets = table.concat(kinds, ","), tags = tags,
      facts = facts }
  end
  print_rows(options, { "file", "targets", "title" }, rows)
  return run.worst
end

function verbs.targets(options)
  local rows = {}
  for i, kind in ipairs(target.kinds) do
    local adapter = target.adapter(kind)
    rows[i] = { target = kind, needs = adapter.needs or "nothing", summary = adapter.summary }
  end
  print_rows(options, { "target", "needs", "summary" }, rows)
  return status.met
end

function verbs.faults(options)
  local rows = faults_table(options)
  for _, row in ipairs(rows) do
    for library, outcome in pairs(row.says) do row[library] = outcome end
  end
  local columns = { "name", "openssl", "gnutls", "wolfssl", "what", options.markdown and "breaks" or nil }
  print_rows(options, columns, rows)
  return status.met
end

function verbs.outcomes(options)
  print_rows(options, { "outcome", "gloss" }, outcomes_table(options))
  return status.met
end

function verbs.words(options)
  if options.json then
    complain "words: there is no JSON of it; expected --markdown or nothing"
    return status.usage
  end
  if options.markdown then reference.markdown(say) else reference.text(say) end
  return status.met
end

local TAKES_FILES = { run = true, validate = true, list = true }

return function (options, exit)
  if #options.files > 0 and not TAKES_FILES[options.verb] then
    complain("%s: unexpected '%s'", options.verb, options.files[1])
    return exit(status.usage)
  end
  local ok, result = xpcall(verbs[options.verb], function (e)
    return words.is_ending(e) and e or words.ending("environment", debug.traceback(tostring(e), 2))
  end, options)
  if not ok then complain("%s", result.text) end
  local code = ok and result or status[result.kind] or status.environment
  local _, why, number = io.stdout:flush()
  if why and number ~= tap.BROKEN_PIPE then unsaid = unsaid or why end
  if unsaid and code == status.met then
    complain("cannot write to stdout: %s", unsaid)
    code = status.environment
  end
  exit(code)
end
