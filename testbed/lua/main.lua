-- The verbs of `rehearse`.

local flow = require "flow"
local host = require "host"
local json = require "json"
local journal = require "journal"
local live = require "live"
local Play = require "play"
local status = require "status"
local tap = require "tap"
local target = require "target"
local wayback = require "wayback"
local words = require "words"
local worker = require "worker"

local function complain(format, ...)
  io.stderr:write("rehearse: ", format:format(...), "\n")
end

-- --- tables that other programs own -----------------------------------------------------------

local function shell_quoted(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

-- Asked before anything runs, so it may block.
local function ask(options, command)
  local pipe = io.popen(shell_quoted(options.programs .. "/" .. command[1]) .. " " .. command[2])
  local text = pipe:read "a"
  local good = pipe:close()
  local value = good and json.decode(text)
  if not value then
    words.environment("%s/%s does not answer; is it built?", options.programs, command[1])
  end
  return value
end

local function keyed(rows, key)
  local by = {}
  for _, row in ipairs(rows) do by[row[key]] = row end
  return by
end

local function faults_table(options) return ask(options, { "fakeca", "faults --json" }) end

local function outcomes_table(options)
  return ask(options, { "client-" .. worker.libraries[1], "--outcomes --json" })
end

-- --- finding scenarios --------------------------------------------------------------------------

local function is_directory(path)
  local file = io.open(path, "r")
  if not file then return false end
  local _, _, code = file:read(0)
  file:close()
  return code == 21 -- EISDIR
end

-- Files as given, directories as the .lua files below them, sorted.
local function scenarios_in(paths)
  local list = {}
  for _, path in ipairs(paths) do
    if is_directory(path) then
      local pipe = io.popen("find " .. shell_quoted(path) .. " -name '*.lua' -type f | sort")
      local before = #list
      for found in pipe:lines() do list[#list + 1] = found end
      pipe:close()
      if #list == before then return nil, path .. ": no *.lua file in this directory" end
    else
      list[#list + 1] = path
    end
  end
  return list
end

-- --- a run --------------------------------------------------------------------------------------

local Run = {}
Run.__index = Run

local function new_run(options)
  local run = setmetatable({
    options = options, playing = {}, seed = tonumber(options.seed or "1"), warned = {},
    live = live.new(), worst = status.met, interrupted = false,
  }, Run)
  run.tap = tap.new(options.tap, run.live)
  run.faults = keyed(faults_table(options), "name")
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
for rank, word in ipairs { "met", "failed", "unsteady", "environment", "guarded", "unhealed", "usage" } do
  GRAVITY[status[word]] = rank
end

function Run:blame(code)
  if (GRAVITY[code] or 99) > (GRAVITY[self.worst] or 99) then self.worst = code end
end

-- Every file is tried dry; the mistakes are told, and the rehearsals returned if there were none.
local function try_all(run, paths)
  local rehearsals, code = {}, status.met
  for number, path in ipairs(paths) do
    local play = Play.new(run, path, number)
    local problem = play:perform()
    if problem then
      complain("%s", problem.text)
      code = status[problem.kind] or status.usage
    end
    rehearsals[number] = play
  end
  return rehearsals, code
end

local function state_directory(options)
  local path = options.state
  if not path then
    local base = os.getenv "TMPDIR" or "/tmp"
    for try = 1, 100 do
      path = ("%s/rehearse-%d-%d"):format(base, host.pid(), try)
      local made, why = host.make_directory(path, 493)
      if made then break end
      if not why:find "exists" then words.environment("%s", why) end
    end
  else
    local made, why = host.make_directory(path, 493)
    local ours = io.open(path .. "/.rehearse", "r")
    if ours then ours:close() end
    if not made and not why:find "exists" then words.environment("cannot make the state directory %s", why) end
    if not made and not ours then
      words.environment("%s: exists and is no state directory of rehearse; name a new one", path)
    end
  end
  local locked, why = host.lock(path .. "/.rehearse")
  if not locked then
    words.environment("%s (is another rehearse using this state directory?)", why)
  end
  return path
end

local function tell_way_back(run, play)
  local report = wayback.of(play)
  if not report then return end
  play:note("way back", report)
  for _, line in ipairs(wayback.lines(report)) do run.tap:comment(play, line) end
end

local function perform(run, rehearsal)
  local play = Play.new(run, rehearsal.path, rehearsal.number, rehearsal)
  if rehearsal.unsuited then
    play.title = rehearsal.title
    play.dry = false
    run.tap:begin(play)
    run.tap:skip(play, play.title, rehearsal.unsuited)
    run.tap:finish(play)
    return
  end
  run.live:add(play)
  local problem = play:perform()
  run.live:remove(play)
  if not play.title then return run:blame(status.usage) end
  local told = #play.points > 0 and not play.points[#play.points].met
  if problem and problem.kind ~= "interrupted" and not told then run.tap:broken(play, problem.text) end
  for i = #play.points + 1, #rehearsal.points do
    run.tap:skip(play, rehearsal.points[i].text, problem and problem.kind == "interrupted" and "interrupted"
      or "not reached")
  end
  tell_way_back(run, play)
  run.tap:finish(play)
  if problem and problem.kind == "guarded" then run.bailed = problem.text end
  if problem then run:blame(status[problem.kind] or status.environment) end
  play:note("scenario over", { problem = problem and problem.text, status = problem and problem.kind or "met" })
end

-- Runs the rehearsals, `jobs` at a time, and waits for all.
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
  for _ = 1, math.max(1, math.min(run.options.jobs, #rehearsals)) do
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

local verbs = {}

function verbs.run(options)
  if #options.files == 0 then
    complain "run: no scenario given; expected files or directories, such as scenarios/expiry"
    return status.usage
  end
  local paths, why = scenarios_in(options.files)
  if not paths then
    complain("%s", why)
    return status.usage
  end
  if options.target and not pcall(target.adapter, options.target) then
    complain("unknown target '%s'%s", options.target, words.suggestion(options.target, { table.unpack(target.kinds) }))
    return status.usage
  end
  local run = new_run(options)
  local rehearsals, code = try_all(run, paths)
  if code ~= status.met then return code end
  if options.verb == "validate" then
    for _, play in ipairs(rehearsals) do
      print(("%s: %s: %d expectations"):format(play.path, play.title, #play.points))
    end
    return status.met
  end
  run.state = state_directory(options)
  local journal_path = options.journal or run.state .. "/journal.jsonl"
  run.journal, why = journal.open(journal_path)
  if not run.journal then words.environment("journal: %s", why) end
  run.journal:note("run", { files = paths, seed = run.seed, target = options.target, programs = options.programs })
  local watcher = watch_for_interrupt(run)
  run.tap:start()
  perform_all(run, rehearsals)
  flow.stop(watcher)
  run.live:hide()
  if run.bailed then run.tap:bail_out(run.bailed) end
  run.tap:plan()
  run.journal:note("run over", { status = run.worst, interrupted = run.interrupted or nil })
  clean_up(run, journal_path)
  return run.interrupted and 128 + run.interrupted or run.worst
end

verbs.validate = verbs.run

-- --- listings -------------------------------------------------------------------------------------

-- Rows of named columns, as text, JSON or Markdown.
local function print_rows(options, columns, rows)
  if options.json then
    print(json.encode(json.array(rows)))
    return
  end
  if options.markdown then
    print("| " .. table.concat(columns, " | ") .. " |")
    print("|" .. (" --- |"):rep(#columns))
    for _, row in ipairs(rows) do
      local cells = {}
      for i, column in ipairs(columns) do cells[i] = tostring(row[column] or ""):gsub("|", "\\|") end
      print("| " .. table.concat(cells, " | ") .. " |")
    end
    return
  end
  local widths = {}
  for _, row in ipairs(rows) do
    for i, column in ipairs(columns) do widths[i] = math.max(widths[i] or 0, #tostring(row[column] or "")) end
  end
  for _, row in ipairs(rows) do
    local cells = {}
    for i, column in ipairs(columns) do
      local text = tostring(row[column] or "")
      cells[i] = i == #columns and text or text .. (" "):rep(widths[i] - #text)
    end
    print((table.concat(cells, "  "):gsub("%s+$", "")))
  end
end

function verbs.list(options)
  local files = #options.files > 0 and options.files or { "scenarios" }
  local paths, why = scenarios_in(files)
  if not paths then
    complain("%s", why)
    return status.usage
  end
  local run = new_run(options)
  local rehearsals, code = try_all(run, paths)
  local rows = {}
  for _, play in ipairs(rehearsals) do
    local kinds, tags = {}, {}
    for _, aim in ipairs(play.targets) do
      for _, kind in ipairs(aim._settings) do kinds[#kinds + 1] = kind end
    end
    for _, tag in ipairs(play.tags) do tags[#tags + 1] = tag end
    rows[#rows + 1] = { file = play.path, title = play.title or "?", targets = table.concat(kinds, ","),
      tags = table.concat(tags, ",") }
  end
  print_rows(options, { "file", "targets", "title" }, rows)
  return code
end

function verbs.targets(options)
  local rows = {}
  for i, kind in ipairs(target.kinds) do
    local adapter = target.adapter(kind)
    rows[i] = { target = kind, needs = adapter.needs and adapter.needs.package or "nothing", summary = adapter.summary }
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
  local reference = require "reference"
  if options.markdown then reference.markdown(print) else reference.text(print) end
  return status.met
end

return function (options, exit)
  local ok, result = xpcall(verbs[options.verb], function (e)
    return words.is_ending(e) and e or words.ending("environment", debug.traceback(tostring(e), 2))
  end, options)
  io.stdout:flush()
  if not ok then complain("%s", result.text) end
  exit(ok and result or status[result.kind] or status.environment)
end
