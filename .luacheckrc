-- What may be global: nothing in the vocabulary itself; in a scenario the words that scenarios
-- are written in, and no others.  A word that is missing here would be a mistake in the play.
std = "lua54"
max_line_length = 120

local words = {
    "ca", "target", "clients", "renewal", "detector", "fetcher", "guard",
    "scenario", "tags", "timeout", "steady", "inject", "recover", "note", "clock",
    "assert", "error", "ipairs", "next", "pairs", "select", "tonumber", "tostring", "type",
    "math", "string", "table",
}

files["scenarios"] = {
    std = { read_globals = words },
    ignore = { "211" }, -- a participant may act without being spoken to
}
files["tests/testbed"] = { read_globals = { "is", "like", "boom" } }
