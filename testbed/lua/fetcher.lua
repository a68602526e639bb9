-- fetcher: the machinery that keeps the revocation lists of a target fresh, as a timer would: it
-- fetches them before those on disk run out, and reloads the target.  What it cannot have leaves those on disk.

local host = require "host"
local routine = require "routine"
local target = require "target"
local words = require "words"

local spec = {
  of = { words.noun "target", required = true, help = "whose lists it keeps; its client_crl says of which authority" },
  when_left = { "offset", default = 86400, help = "fetch when no more than this is left on the calendar [1d]" },
  every = { "duration", default = 0.2, help = "look this often, in real time [200ms]" },
}

local function check(settings)
  target.owned(settings.of, "fetcher")
  if not settings.of._config.client_crl then words.mistake "fetcher: this target has no client_crl" end
end

return routine.define("fetcher", {
  spec = spec,
  check = check,
  period = function () return 86400 end,
  look = function (self)
    local shop, play = self._settings.of, self._play
    if shop._lists.till - play.page:now() > self._settings.when_left then return end
    local till, why = shop:_fetch_lists(shop._lists.house)
    if not till then
      play:note("lists not fetched", { target = shop._name, why = why })
      if why ~= self._memory.why then play.run.tap:comment(play, "fetcher: " .. why) end
      self._memory.why = why
      return
    end
    self._memory.why = nil
    shop._adapter.configure(shop)
    shop:_reload()
    play:note("lists fetched", { target = shop._name })
    play.run.tap:comment(play, "fetcher: revocation lists that are good for "
      .. host.show_duration(till - play.page:now()))
  end,
})
