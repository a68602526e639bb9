local words = require "words"

local spec = { words.one_of { "openssl", "gnutls" }, name = { "text", required = true }, rate = "rate",
  share = { "percent", default = 1 }, after = "duration" }

local checked = words.check("clients", spec, { "openssl", name = "x", share = "50%", after = "2m" })
is({ checked.share, checked.after }, { 0.5, 120.0 }, "shares and durations become numbers")
is(words.check("clients", spec, { name = "x" }).share, 1, "defaults are filled in")
boom(function () words.check("clients", spec, { nmae = "x" }) end, "unknown key 'nmae'; did you mean 'name'%?",
  "an unknown key names the nearest")
boom(function () words.check("clients", spec, {}) end, "clients: 'name' is missing", "what is required is asked for")
boom(function () words.check("clients", spec, { name = 5 }) end, "'name' is 5; expected text", "kinds are checked")
boom(function () words.check("clients", spec, { name = "x", rate = "fast" }) end, "expected handshakes a second",
  "and say what they want")
boom(function () words.check("clients", spec, { "opensl", name = "x" }) end, 'one of "openssl", "gnutls"',
  "entries without a key are checked too")
boom(function () words.check("clients", spec, "x") end, "takes a table", "a table is a table")

local class = words.class("chain", {
  broken = function (self, fault) return self._secret .. fault end,
  twin = function (self) return self end,
  _hidden = function () end,
})
local chain = words.outside(class.new { _secret = "s" })
is(chain:broken "x", "sx", "an act gets the object")
is(next(chain), nil, "of which a scenario sees nothing")
is(chain:twin() == chain, true, "what goes out is the outside again")
is(words.inside(chain)._secret, "s", "and we find the way in")
boom(function () return chain._hidden end, "has no '_hidden'", "our own methods are no acts")
boom(function () return chain.broken "x" end, "write a colon", "a dot for a colon is told")
boom(function () return chain.brokn end, "a chain has no 'brokn'; did you mean 'broken'%?", "methods have suggestions")
boom(function () chain.x = 1 end, "cannot be assigned", "objects are closed")
