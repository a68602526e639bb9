local json = require "json"

is(json.encode { b = 1, a = { 1, 2.5, "x" } }, '{"a":[1,2.5,"x"],"b":1}', "keys are sorted, lists are arrays")
is(json.encode {}, "{}", "an empty table is an object")
is(json.encode(json.array {}), "[]", "unless it is said to be an array")
is(json.encode { a = json.null }, '{"a":null}', "null can be said")
is(json.decode('{"a":null,"b":true}').a, nil, "and is nil when heard")
is(json.encode(json.decode '[]'), "[]", "an array stays one, even empty")
is(json.encode { text = "\xff" }, '{"text":"(not UTF-8)"}', "bytes that are no text are said to be none")
is(json.encode { f = print }, '{"f":null}', "a function is null in JSON")
is(json.encode { "a", b = 1 }, '["a"]', "a table with a list in it is that list")
local snake = {}
snake.tail = snake
like(json.encode(snake), "deeper than 64", "a table in itself has an end")
is(json.encode(0 / 0), "null", "there is no NaN in JSON")
local value, why = json.decode '{"a":'
is(value, nil, "half an object is nothing")
like(why, "^not JSON: ", "and says why")
