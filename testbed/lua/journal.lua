-- The journal: everything that happened, once, in order, one JSON object a line.
-- Reports and verdicts are functions of it.  Every line has its `kind`, `t` in seconds since the run
-- began, and `real` time.

local flow = require "flow"
local host = require "host"
local json = require "json"
local words = require "words"

local Journal = {}
Journal.__index = Journal

local journal = {}

-- What stands in the place of a journal may be replaced if it is one.
local function is_something_else(path)
  local file = host.kind_of(path) == "file" and io.open(path, "rb")
  local first = file and file:read(4096)
  if file then file:close() end
  return first and first:find "%g" and not first:find('"kind":"run"', 1, true)
end

-- Opens the file; nil and why where it cannot be written.
function journal.open(path)
  if is_something_else(path) then words.mistake("--journal: %s: exists and is no journal; name another file", path) end
  local file, why = host.append(path)
  if not file then return nil, why end
  return setmetatable({ file = file, began = flow.now(), failed = false }, Journal)
end

function Journal:note(kind, facts)
  local line = { kind = kind, t = flow.now() - self.began, real = host.show_moment(os.time()) }
  for key, value in pairs(facts) do
    assert(line[key] == nil, "the journal's own field")
    line[key] = value
  end
  if self.failed then return end
  local ok, why = pcall(self.file.write, self.file, json.encode(line) .. "\n")
  if ok then return end
  self.failed = true -- said once; what follows is teardown
  words.environment("journal: %s", tostring(why))
end

return journal
