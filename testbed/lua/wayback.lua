-- The way back: for each client class, when each step from the fault to the last
-- good handshake was reached.  Milliseconds after the fault, on the real clock.

local wayback = {}

-- { heading, the phase's name, or what a class knows }
local COLUMNS = {
  { "first failure", class = "first_bad" },
  { "detected", phase = "detected" },
  { "renewal began", phase = "renewal began" },
  { "order placed", phase = "order placed" },
  { "issued", phase = "issued" },
  { "on disk", phase = "on disk" },
  { "reloaded", phase = "reloaded" },
  { "rolled back", phase = "rolled back" },
  { "on the wire", wire = true },
  { "first good", class = "first_good" },
  { "well again", class = "well_since" },
}

-- The fault: the last thing injected before anybody failed.
local function fault_of(play, first_bad)
  local fault
  for _, effect in ipairs(play.effects) do
    if effect.section == "inject" and (not first_bad or effect.at <= first_bad) then fault = effect end
  end
  return fault
end

local function first_failure(play)
  local first
  for _, fleet in ipairs(play.fleets) do
    for _, who in ipairs(fleet._classes) do
      if who.first_bad and (not first or who.first_bad < first) then first = who.first_bad end
    end
  end
  return first
end

-- The last time a phase was reached after the fault.
local function phase_after(play, what, fault)
  local at, serial
  for _, phase in ipairs(play.phases) do
    if phase.what == what and phase.at > fault.at then at, serial = phase.at, phase.serial end
  end
  return at, serial
end

local function reached(play, who, column, fault)
  if column.class then return who[column.class] or nil end
  if column.phase then return (phase_after(play, column.phase, fault)) end
  local _, serial = phase_after(play, "on disk", fault)
  return serial and who:seen_since(serial, fault.at) or nil
end

local function row_of(play, who, fault)
  local row = { name = who.name }
  for i, column in ipairs(COLUMNS) do
    local at = who.first_bad and reached(play, who, column, fault)
    row[i] = at and at >= fault.at and (at - fault.at) * 1000 or false
  end
  return row
end

-- { fault = text, columns = {...}, rows = { { name =, [i] = ms or false } }, began =, last_well = ms },
-- or nil where nobody failed.
function wayback.of(play)
  local first_bad = first_failure(play)
  local fault = first_bad and fault_of(play, first_bad)
  if not fault then return nil end
  local report = { fault = fault.text, columns = {}, rows = {} }
  for i, column in ipairs(COLUMNS) do report.columns[i] = column[1] end
  for _, fleet in ipairs(play.fleets) do
    for _, who in ipairs(fleet._classes) do table.insert(report.rows, row_of(play, who, fault)) end
  end
  local last
  for _, row in ipairs(report.rows) do
    local well = row[#COLUMNS]
    if well and (not last or well > last) then last = well end
  end
  for _, effect in ipairs(play.effects) do
    if effect.section == "recover" and not report.began then report.began = (effect.at - fault.at) * 1000 end
  end
  report.last_well = last
  return report
end

-- As lines of text; columns that nobody reached are left out.
function wayback.lines(report)
  local used = {}
  for i in ipairs(report.columns) do
    for _, row in ipairs(report.rows) do
      if row[i] then used[#used + 1] = i break end
    end
  end
  local width = 8
  for _, row in ipairs(report.rows) do width = math.max(width, #row.name) end
  local head = { (" "):rep(width) }
  local function cell(i, text)
    return (" "):rep(math.max(#report.columns[i], 8) + 2 - #text) .. text
  end
  for _, i in ipairs(used) do head[#head + 1] = cell(i, report.columns[i]) end
  local lines = { "ms after the fault: " .. report.fault, table.concat(head) }
  for _, row in ipairs(report.rows) do
    local cells = { row.name .. (" "):rep(width - #row.name) }
    for _, i in ipairs(used) do
      cells[#cells + 1] = cell(i, row[i] and ("%.0f"):format(row[i]) or "-")
    end
    lines[#lines + 1] = table.concat(cells)
  end
  if report.last_well and report.began and report.began < report.last_well then
    lines[#lines + 1] = ("recovery was allowed to begin after %.0f ms; the last client class was well %.0f ms later")
      :format(report.began, report.last_well - report.began)
  end
  return lines
end

return wayback
