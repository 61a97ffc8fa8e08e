#include "json/jsonout.h"

#include <check.h>
#include <math.h>

Suite *jsonout_suite(void);

static const struct {
	double value;
	const char *text;
} floats[] = {
    {1.0, "1.0"},
    {100.0, "100.0"},
    {0.0001, "0.0001"},
    {0.00001, "1e-05"},
    {1000000000000000.0, "1000000000000000.0"},
    {1e16, "1e+16"},
    {1.5e-7, "1.5e-07"},
    {5e-324, "5e-324"},
    {1e100, "1e+100"},
    {0.1, "0.1"},
    {0.7682376249867957, "0.7682376249867957"},
    {123456.789, "123456.789"},
    {-0.0, "-0.0"},
    {-2.5, "-2.5"},
    {INFINITY, "inf"},
};

START_TEST(floats_are_python_repr)
{
	char out[JSONOUT_DOUBLE_TEXT];
	size_t len = jsonout_double_text(floats[_i].value, out);

	ck_assert_str_eq(out, floats[_i].text);
	ck_assert_uint_eq(len, span_of(floats[_i].text).len);
}
END_TEST

static const struct {
	struct span text;
	const char *json;
} strings[] = {
    {SPAN("a\"b\\c/d"), "\"a\\\"b\\\\c/d\""},
    {SPAN("\b\f\n\r\t"), "\"\\b\\f\\n\\r\\t\""},
    {SPAN("\x01\x1f\x7f"), "\"\\u0001\\u001f\x7f\""},
    {SPAN("a\0b"), "\"a\\u0000b\""},
    {SPAN("\xC3\xA9\xE2\x80\xA8"), "\"\xC3\xA9\xE2\x80\xA8\""},
    {SPAN("x\xED\xA0\x80y"), "\"x\\ud800y\""},
    {SPAN("x\xFFy"), "\"x\xEF\xBF\xBDy\""},
    {SPAN(""), "\"\""},
};

START_TEST(strings_are_in_starlettes_style)
{
	struct buf b = BUF_INIT(1000);

	jsonout_string(&b, strings[_i].text);
	ck_assert_str_eq(buf_text(&b), strings[_i].json);
	buf_release(&b);
}
END_TEST

START_TEST(members_place_their_commas)
{
	struct buf b = BUF_INIT(1000);

	buf_addc(&b, '{');
	jsonout_member_int(&b, "a", -5);
	jsonout_name(&b, "b");
	buf_adds(&b, "[");
	jsonout_comma(&b);
	jsonout_int(&b, 1);
	jsonout_comma(&b);
	jsonout_double(&b, 0.5);
	buf_adds(&b, "]");
	jsonout_member_cstring(&b, "c", NULL);
	jsonout_member_bool(&b, "d", true);
	jsonout_member(&b, "e", SPAN("{"));
	jsonout_member_null(&b, "f");
	buf_addc(&b, '}');
	ck_assert_str_eq(buf_text(&b),
	    "{\"a\":-5,\"b\":[1,0.5],\"c\":null,\"d\":true,\"e\":\"{\","
	    "\"f\":null}");
	buf_release(&b);
}
END_TEST

Suite *
jsonout_suite(void)
{
	Suite *s = suite_create("jsonout");
	TCase *t = tcase_create("jsonout");

	tcase_add_loop_test(t, floats_are_python_repr, 0,
	    sizeof(floats) / sizeof(floats[0]));
	tcase_add_loop_test(t, strings_are_in_starlettes_style, 0,
	    sizeof(strings) / sizeof(strings[0]));
	tcase_add_test(t, members_place_their_commas);
	suite_add_tcase(s, t);
	return s;
}
