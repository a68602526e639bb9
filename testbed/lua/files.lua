-- Whole files, and the modes that the tree uses.

local host = require "host"

local files = {
  PUBLIC = tonumber("644", 8),
  PRIVATE = tonumber("600", 8),
  DIRECTORY = tonumber("755", 8),
  PROGRAM = tonumber("755", 8),
}

files.read = host.read

-- The same file, whatever directory is the current one; `base` is where a relative path starts.
function files.absolute(path, base)
  if path:find "^/" then return path end
  base = base or files.lines_of("pwd -P")[1]
  return base .. "/" .. path
end

function files.directory_of(path)
  return files.absolute(path):match "^(.*)/[^/]*$"
end

function files.is_there(path)
  return host.kind_of(path) ~= nil
end

-- Whether a command can be found as on a stage: servers live in sbin, which is not on everybody's PATH.
function files.on_path(program)
  if program:find "/" then return true end
  for dir in ((os.getenv "PATH" or "/usr/bin:/bin") .. ":/usr/sbin:/sbin"):gmatch "[^:]+" do
    if files.is_there(dir .. "/" .. program) then return true end
  end
end

function files.is_directory(path)
  return host.kind_of(path) == "directory"
end

-- A word for the shell, whatever is in it.
function files.quoted(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

-- The lines that a shell command prints.  It blocks: only for what is quick.
function files.lines_of(command)
  local lines, pipe = {}, io.popen(command)
  for line in pipe:lines() do lines[#lines + 1] = line end
  return lines, pipe:close()
end

return files
