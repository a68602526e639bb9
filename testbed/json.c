#include "testbed/json.h"

#include <jansson.h>
#include <lauxlib.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#define DEPTH_MAX 64
#define ARRAY     "testbed.json.array"

static json_t *convert(lua_State *L, int index, int depth);

static bool is_array(lua_State *L, int index)
{
    bool marked = luaL_getmetafield(L, index, "__name") == LUA_TSTRING;

    if (marked)
        lua_pop(L, 1);
    return marked || lua_rawlen(L, index) > 0;
}

static json_t *array_of(lua_State *L, int index, int depth)
{
    json_t *array = json_array();
    lua_Integer count = (lua_Integer)lua_rawlen(L, index);

    for (lua_Integer i = 1; i <= count; i++) {
        lua_rawgeti(L, index, i);
        json_array_append_new(array, convert(L, -1, depth + 1));
        lua_pop(L, 1);
    }
    return array;
}

static json_t *object_of(lua_State *L, int index, int depth)
{
    json_t *object = json_object();

    lua_pushnil(L);
    while (lua_next(L, index) != 0) {
        lua_pushvalue(L, -2); /* lua_tostring would turn the key itself into text */
        json_object_set_new(object, lua_tostring(L, -1), convert(L, -2, depth + 1));
        lua_pop(L, 2);
    }
    return object;
}

static json_t *number_of(lua_State *L, int index)
{
    lua_Number number = lua_tonumber(L, index);

    if (lua_isinteger(L, index))
        return json_integer(lua_tointeger(L, index));
    return number - number == 0 ? json_real(number) : json_null(); /* JSON has no NaN */
}

/* What processes print need not be UTF-8, but the journal is. */
static json_t *text_of(lua_State *L, int index)
{
    size_t length;
    const char *bytes = lua_tolstring(L, index, &length);
    json_t *text = json_stringn(bytes, length);

    return text != NULL ? text : json_string("(not UTF-8)");
}

static json_t *convert(lua_State *L, int index, int depth)
{
    index = lua_absindex(L, index);
    luaL_checkstack(L, 4, "JSON");
    if (depth > DEPTH_MAX)
        return json_string("(deeper than 64)");
    switch (lua_type(L, index)) {
    case LUA_TBOOLEAN:
        return json_boolean(lua_toboolean(L, index));
    case LUA_TNUMBER:
        return number_of(L, index);
    case LUA_TSTRING:
        return text_of(L, index);
    case LUA_TTABLE:
        return is_array(L, index) ? array_of(L, index, depth) : object_of(L, index, depth);
    default:
        return json_null();
    }
}

static void push(lua_State *L, const json_t *value);

static void push_array(lua_State *L, const json_t *value)
{
    lua_createtable(L, (int)json_array_size(value), 0);
    for (size_t i = 0; i < json_array_size(value); i++) {
        push(L, json_array_get(value, i));
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    luaL_setmetatable(L, ARRAY);
}

static void push_object(lua_State *L, const json_t *value)
{
    const char *key;
    json_t *field;

    lua_createtable(L, 0, (int)json_object_size(value));
    json_object_foreach ((json_t *)(uintptr_t)value, key, field) {
        push(L, field);
        lua_setfield(L, -2, key);
    }
}

static void push(lua_State *L, const json_t *value)
{
    luaL_checkstack(L, 4, "JSON");
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        push_object(L, value);
        break;
    case JSON_ARRAY:
        push_array(L, value);
        break;
    case JSON_STRING:
        lua_pushlstring(L, json_string_value(value), json_string_length(value));
        break;
    case JSON_INTEGER:
        lua_pushinteger(L, json_integer_value(value));
        break;
    case JSON_REAL:
        lua_pushnumber(L, json_real_value(value));
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        lua_pushboolean(L, json_is_true(value));
        break;
    case JSON_NULL:
        lua_pushnil(L);
        break;
    }
}

static int l_encode(lua_State *L)
{
    json_t *value = convert(L, 1, 0);
    char *text = json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);

    json_decref(value);
    if (text == NULL)
        return luaL_error(L, "this value has no JSON");
    lua_pushstring(L, text);
    free(text);
    return 1;
}

static int l_decode(lua_State *L)
{
    size_t length;
    const char *text = luaL_checklstring(L, 1, &length);
    json_error_t error;
    json_t *value = json_loadb(text, length, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &error);

    if (value == NULL) {
        lua_pushnil(L);
        lua_pushfstring(L, "not JSON: %s", error.text);
        return 2;
    }
    push(L, value);
    json_decref(value);
    return 1;
}

static int l_array(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    luaL_setmetatable(L, ARRAY);
    return 1;
}

int json_open(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"encode", l_encode},
        {"decode", l_decode},
        {"array",  l_array },
        {NULL,     NULL    },
    };

    luaL_newmetatable(L, ARRAY);
    lua_pop(L, 1);
    luaL_newlib(L, functions);
    lua_pushlightuserdata(L, NULL);
    lua_setfield(L, -2, "null");
    return 1;
}
