-- The versions of TLS that a configuration allows, for servers that want a list and not a range.

local tls_versions = {}

local ORDER = { "1.0", "1.1", "1.2", "1.3" }

-- From config.min_version [1.2] to config.max_version [1.3], each as `names` has it, with spaces between.
function tls_versions.list(config, names)
  local list, inside = {}, false
  for _, version in ipairs(ORDER) do
    if version == (config.min_version or "1.2") then inside = true end
    if inside then list[#list + 1] = names[version] end
    if version == (config.max_version or "1.3") then inside = false end
  end
  return table.concat(list, " ")
end

return tls_versions
