/* What is written is read again as what it was. */
#include "fakeca/json_text.h"

#include "tests/fakeca/fixture.h"

static void assert_same(const json_t *tree)
{
    char *text = json_text_of(tree);
    json_t *again = json_loads(text, JSON_DECODE_ANY, NULL);

    assert_non_null(text);
    assert_int_equal(json_equal(again, tree), 1);
    json_decref(again);
    free(text);
}

static void a_tree_comes_back(void **state)
{
    static const char *const texts[] = {
        "{}",
        "[]",
        "[[],{},[[]]]",
        "null",
        "[true,false,null,0,-1,9223372036854775807,-9223372036854775808,1.5,3.0,-1e300]",
        "{\"a\":{\"b\":[1,{\"c\":\"d\"}],\"e\":[]},\"f\":\"\"}",
        "\"quotes \\\" and \\\\ and \\/ and \\b\\f\\n\\r\\t and \\u0001 and \\u001f\"",
        "{\"a \\\"name\\\"\":\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        json_t *tree = json_loads(texts[i], JSON_DECODE_ANY, NULL);

        assert_non_null(tree);
        assert_same(tree);
        json_decref(tree);
    }
}

static void a_string_may_hold_a_nul(void **state)
{
    json_t *string = json_stringn("a\0b", 3);
    char *text = json_text_of(string);

    (void)state;
    assert_string_equal(text, "\"a\\u0000b\"");
    free(text);
    json_decref(string);
}

static void a_long_one_comes_back(void **state)
{
    json_t *all = json_array();

    (void)state;
    for (int i = 0; i < 5000; i++)
        json_array_append_new(all, json_pack("{s:i, s:s}", "number", i, "text", "line\nline"));
    assert_same(all);
    json_decref(all);
}

static void piece_by_piece(void **state)
{
    struct json_text out = {0};
    json_t *seven = json_integer(7);
    char *text;

    (void)state;
    json_text_open(&out, NULL, '{');
    json_text_string(&out, "name", "w0.shop.test");
    json_text_value(&out, "nothing", NULL);
    json_text_open(&out, "list", '[');
    json_text_value(&out, NULL, seven);
    json_text_string(&out, NULL, "[{");
    json_text_open(&out, NULL, '{');
    json_text_close(&out, '}');
    json_text_close(&out, ']');
    json_text_value(&out, "last", seven);
    json_text_close(&out, '}');
    text = json_text_take(&out);
    assert_string_equal(text, "{\"name\":\"w0.shop.test\",\"list\":[7,\"[{\",{}],\"last\":7}");
    assert_null(out.bytes);
    json_decref(seven);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tree_comes_back),
        cmocka_unit_test(a_string_may_hold_a_nul),
        cmocka_unit_test(a_long_one_comes_back),
        cmocka_unit_test(piece_by_piece),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
