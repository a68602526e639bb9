-- A user's own nginx.conf, rehearsed: the same configuration on a stage.
--
-- Everything is kept but what names the machine it came from: certificates are the
-- rehearsal's, listeners move to the stage's address, logs and pid files go to its
-- directory, includes are read in place.  Nothing of the user's is written to.

local files = require "files"
local words = require "words"

local nginx_conf = {}

-- --- reading --------------------------------------------------------------------------------------

-- nginx's own rules (ngx_conf_file.c): words, quotes, comments, ; { }
local function tokens_of(text, path)
  local tokens, at, line = {}, 1, 1
  local function fail(what) words.mistake("%s:%d: %s", path, line, what) end
  while at <= #text do
    local c = text:sub(at, at)
    if c == "\n" then line = line + 1 end
    if c:find "%s" then
      at = at + 1
    elseif c == "#" then
      at = text:find("\n", at, true) or #text + 1
    elseif c:find "[;{}]" then
      tokens[#tokens + 1] = { mark = c, line = line }
      at = at + 1
    elseif c == '"' or c == "'" then
      local stop = at
      repeat
        stop = text:find(c, stop + 1, true)
        if not stop then fail("a quote that never ends") end
      until text:sub(stop - 1, stop - 1) ~= "\\"
      tokens[#tokens + 1] = { word = text:sub(at, stop), line = line }
      line = line + select(2, text:sub(at, stop):gsub("\n", ""))
      at = stop + 1
    else
      -- a { inside ${name} belongs to the word
      local stop = at
      while stop <= #text and not text:sub(stop, stop):find "[%s;]" do
        local d = text:sub(stop, stop)
        if d == "{" and text:sub(stop - 1, stop - 1) ~= "$" then break end
        if d == "}" and not text:sub(at, stop):find "%${[^}]*}$" then break end
        if d == "\\" then stop = stop + 1 end
        stop = stop + 1
      end
      tokens[#tokens + 1] = { word = text:sub(at, stop - 1), line = line }
      at = stop
    end
  end
  return tokens
end

local parse_file

-- The shell's own glob, sorted as nginx sorts; the pattern comes from the user's own file.
local function files_matching(pattern)
  if not pattern:find "[*?%[]" then return { pattern } end
  local escaped = pattern:gsub("[^%w%*%?%[%]/._-]", "\\%0")
  local list = {}
  for _, path in ipairs(files.lines_of("for f in " .. escaped .. "; do echo \"$f\"; done")) do
    if files.read(path) then list[#list + 1] = path end
  end
  return list
end

local function unquoted(word)
  return (word:gsub("^(['\"])(.*)%1$", "%2"))
end

-- A block is a list of { name, words..., block = nested or nil, at = "FILE:LINE" }.
local function parse_block(state, top)
  local block = {}
  local current = {}
  while state.at <= #state.tokens do
    local token = state.tokens[state.at]
    state.at = state.at + 1
    if token.word then
      current.at = current.at or ("%s:%d"):format(state.path, token.line)
      current[#current + 1] = token.word
    elseif token.mark == ";" then
      if current[1] == "include" and current[2] then
        local pattern = unquoted(current[2])
        if not pattern:find "^/" then pattern = state.base .. "/" .. pattern end
        for _, path in ipairs(files_matching(pattern)) do
          for _, directive in ipairs(parse_file(path, state.base)) do block[#block + 1] = directive end
        end
      elseif #current > 0 then
        block[#block + 1] = current
      end
      current = {}
    elseif token.mark == "{" then
      current.block = parse_block(state, false)
      block[#block + 1] = current
      current = {}
    else
      if top then words.mistake("%s:%d: a } too many", state.path, token.line) end
      return block
    end
  end
  if not top then words.mistake("%s: a { that is never closed", state.path) end
  if #current > 0 then words.mistake("%s: '%s' has no ; at its end", state.path, current[1]) end
  return block
end

function parse_file(path, base)
  local text, why = files.read(path)
  if not text then words.mistake("cannot read this nginx configuration: %s", why) end
  return parse_block({ tokens = tokens_of(text, path), at = 1, base = base, path = path }, true)
end

-- --- rehearsing -----------------------------------------------------------------------------------

-- What is dropped wherever it stands: the stage has its own.
local DROPPED = {
  daemon = true, master_process = true, pid = true, error_log = true, access_log = true, user = true,
  lock_file = true, ssl_trusted_certificate = true, ssl_stapling = true, ssl_stapling_file = true,
  ssl_stapling_verify = true, client_body_temp_path = true, proxy_temp_path = true,
  fastcgi_temp_path = true, uwsgi_temp_path = true, scgi_temp_path = true, stream = true, mail = true,
}

local keeps

-- Blocks inside are cleaned, too: a location can have a log of its own.
local function clean(block, settings)
  local kept = {}
  for _, directive in ipairs(block) do
    if keeps(directive, settings) then kept[#kept + 1] = directive end
  end
  return kept
end

-- Whether a directive is the user's to keep; what is not is remembered in settings.left_out.
function keeps(directive, settings)
  local name = directive[1]
  if DROPPED[name] then settings.left_out[name] = true end
  if DROPPED[name] or settings.directives[name] then return false end
  if name:find "_cache_path$" then directive[2] = ('"%s/%s"'):format(settings.dir, name) end
  if directive.block then directive.block = clean(directive.block, settings) end
  return true
end

local function serves_tls(server)
  for _, directive in ipairs(server.block) do
    if directive[1] == "listen" then
      for _, word in ipairs(directive) do
        if word == "ssl" then return true end
      end
    elseif directive[1] == "ssl_certificate" then
      return true
    end
  end
  return false
end

-- The words of all its directives of one name, as a list and as a set.
local function words_of(server, name)
  local list, set = {}, {}
  for _, directive in ipairs(server.block) do
    if directive[1] == name then
      for i = 2, #directive do
        list[#list + 1] = unquoted(directive[i])
        set[list[#list]] = true
      end
    end
  end
  return list, set
end

-- What a server block is called in a report: by its first name, else by where it listens.
local function title(server)
  local first = words_of(server, "server_name")[1]
  if first then return ("server %s"):format(first) end
  return ("server on %s"):format(words_of(server, "listen")[1] or "80")
end

-- One TLS server block: our certificate, our address, the rest as it was.
local function rehearse_server(server, settings)
  local _, asked = words_of(server, "listen")
  local kept = { { "listen", settings.address, "ssl", asked.http2 and "http2" or nil } }
  for _, directive in ipairs(server.block) do
    if directive[1] ~= "listen" and keeps(directive, settings) then
      kept[#kept + 1] = directive
    end
  end
  for _, name in ipairs(words.keys(settings.directives)) do
    kept[#kept + 1] = { name, settings.directives[name] }
  end
  server.block = kept
end

local function rehearse_http(http, settings)
  local kept = {
    { "access_log", "off" },
  }
  for _, kind in ipairs { "client_body", "proxy", "fastcgi", "uwsgi", "scgi" } do
    kept[#kept + 1] = { kind .. "_temp_path", ('"%s/tmp-%s"'):format(settings.dir, kind) }
  end
  local found = false
  for _, directive in ipairs(http.block) do
    if directive[1] == "server" and directive.block then
      -- servers without TLS have no part in this, and their ports are not ours
      local _, named = words_of(directive, "server_name")
      if serves_tls(directive) and named[settings.name] then
        rehearse_server(directive, settings)
        kept[#kept + 1] = directive
        found = true
      else
        settings.left_out[title(directive)] = true
      end
    elseif keeps(directive, settings) then
      kept[#kept + 1] = directive
    end
  end
  http.block = kept
  return found
end

local function rehearse_main(main, settings)
  local kept = {
    { "pid", ('"%s/nginx.pid"'):format(settings.dir) },
    { "error_log", "stderr", "notice" },
  }
  if settings.root then table.insert(kept, { "user", "www-data" }) end
  local found = false
  for _, directive in ipairs(main) do
    if directive[1] == "http" and directive.block then
      found = rehearse_http(directive, settings) or found
      kept[#kept + 1] = directive
    elseif directive[1] == "load_module" and not directive[2]:find "^['\"]?/" then
      kept[#kept + 1] = { "load_module", "/usr/share/nginx/" .. unquoted(directive[2]) }
    elseif keeps(directive, settings) then
      kept[#kept + 1] = directive
    end
  end
  return kept, found
end

-- Adds `text` to `lines`, and to `lines.from` where its lines come from.
local function add(lines, text, from)
  for line in (text .. "\n"):gmatch "(.-)\n" do
    lines[#lines + 1] = line
    lines.from[#lines] = from
  end
end

local function write(block, depth, lines)
  local pad = ("    "):rep(depth)
  for _, directive in ipairs(block) do
    local text = pad .. table.concat(directive, " ")
    add(lines, text .. (directive.block and " {" or ";"), directive.at)
    if directive.block then
      write(directive.block, depth + 1, lines)
      add(lines, pad .. "}", directive.at)
    end
  end
  return lines
end

-- The text of the configuration at `path` as it runs on a stage; what was left out: names of directives, and
-- server blocks; and of each line of that text where it comes from, "FILE:LINE", if it is the user's.
--   settings: dir, address, name, directives (those the rehearsal decides), root
function nginx_conf.rehearsed(path, settings)
  settings.left_out = {}
  local base = path:match "^(.*)/[^/]*$" or "."
  local main, found = rehearse_main(parse_file(path, base), settings)
  if not found then
    words.mistake("%s: no server block with TLS has the server_name %s", path, settings.name)
  end
  local lines = write(main, 0, { from = {} })
  return table.concat(lines, "\n") .. "\n", words.keys(settings.left_out), lines.from
end

return nginx_conf
