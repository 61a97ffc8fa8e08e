#include "validate/v1_kinds.h"

#include <check.h>
#include <string.h>

#include "json/jsonout.h"
#include "validate/pynumber.h"

Suite *v1_kinds_suite(void);

#define N(rows) ((int)(sizeof(rows) / sizeof((rows)[0])))

static struct arena arena;
static struct buf out;

static void
setup(void)
{
	arena_init(&arena, 1U << 24);
	buf_init(&out, 1U << 24);
}

static void
teardown(void)
{
	arena_release(&arena);
	buf_release(&out);
}

static const struct pyjson *
decode(struct span text)
{
	const struct pyjson *v;

	ck_assert_msg(pyjson_decode(&arena, text, NULL, &v, NULL) == ERR_NONE,
	    "%.*s", (int)text.len, text.data);
	return v;
}

/* Reads text as one kind; false when there was an error, its msg in out. */
struct keeping_sink {
	struct field_sink sink;
	const char *msg;
};

static void
keep_error(struct field_sink *sink, const struct field_error *e)
{
	((struct keeping_sink *)sink)->msg = e->words->msg;
}

static const char *
read_as(const struct field_kind *kind, const void *detail, const char *text,
    void *value)
{
	struct keeping_sink sink = {{keep_error}, NULL};
	struct validation v = {&arena, &sink.sink, 0, false};
	const struct field field = {.name = "f", .kind = kind,
	    .detail = detail};
	const struct field_location location = {NULL, "f", 0};
	bool good = kind->read(&v, &field, &location, decode(span_of(text)),
	    value);

	ck_assert(good == (sink.msg == NULL));
	ck_assert_uint_eq(v.errors, good ? 0 : 1);
	return sink.msg;
}

/* ---- booleans ------------------------------------------------------------ */

static const struct {
	const char *text;
	int value; /* -1: refused */
} booleans[] = {
    {"true", 1}, {"false", 0}, {"1", 1}, {"0", 0}, {"-0", 0}, {"1.0", 1},
    {"1e0", 1}, {"0e5", 0}, {"-0.0", 0}, {"10e-1", 1}, {"1e-999", 0},
    {"2", -1}, {"-1", -1}, {"0.5", -1}, {"NaN", -1}, {"Infinity", -1},
    {"1.0000000000000000001", 1}, {"\"1\"", 1}, {"\"on\"", 1}, {"\"T\"", 1},
    {"\"TRUE\"", 1}, {"\"y\"", 1}, {"\"yEs\"", 1}, {"\"0\"", 0},
    {"\"OFF\"", 0}, {"\"f\"", 0}, {"\"false\"", 0}, {"\"N\"", 0},
    {"\"no\"", 0}, {"\" true\"", -1}, {"\"\"", -1}, {"\"yep\"", -1},
    {"\"1.0\"", -1}, {"\"true\\u0000\"", -1}, {"[]", -1}, {"{}", -1},
    {"[true]", -1}, {"\"\xEF\xBC\x91\"", -1},
};

START_TEST(booleans_are_read)
{
	bool value = false;
	const char *msg = read_as(&v1_boolean, NULL, booleans[_i].text,
	    &value);

	if (booleans[_i].value < 0) {
		ck_assert_str_eq(msg,
		    "value could not be parsed to a boolean");
		return;
	}
	ck_assert_msg(msg == NULL, "%s", booleans[_i].text);
	ck_assert_int_eq(value, booleans[_i].value);
}
END_TEST

/* ---- texts --------------------------------------------------------------- */

static const struct {
	const char *text, *value; /* NULL: refused */
} texts[] = {
    {"\"\"", ""}, {"\"a\"", "a"}, {"true", "True"}, {"false", "False"},
    {"-0", "0"}, {"-17", "-17"},
    {"123456789012345678901234567890", "123456789012345678901234567890"},
    {"1.0", "1.0"}, {"1e16", "1e+16"}, {"1e15", "1000000000000000.0"},
    {"0.1", "0.1"}, {"1e999", "inf"}, {"-Infinity", "-inf"}, {"NaN", "nan"},
    {"-0.0", "-0.0"}, {"0.00001", "1e-05"}, {"[]", NULL}, {"{}", NULL},
};

START_TEST(texts_are_read)
{
	struct span value = SPAN_NONE;
	const char *msg = read_as(&v1_text, NULL, texts[_i].text, &value);

	if (texts[_i].value == NULL) {
		ck_assert_str_eq(msg, "str type expected");
		return;
	}
	ck_assert_ptr_nonnull(value.data);
	ck_assert_msg(span_is(value, texts[_i].value), "%s", texts[_i].text);
}
END_TEST

/* ---- integers ------------------------------------------------------------ */

static const struct {
	const char *text, *digits; /* NULL: refused */
} integers[] = {
    {"0", "0"}, {"-0", "0"}, {"17", "17"}, {"true", "1"}, {"false", "0"},
    {"99999999999999999999", "99999999999999999999"}, {"1.9", "1"},
    {"-1.9", "-1"}, {"-0.5", "0"}, {"1e22", "10000000000000000000000"},
    {"1e23", "99999999999999991611392"}, {"NaN", NULL}, {"1e999", NULL},
    {"-Infinity", NULL}, {"\"42\"", "42"}, {"\"+42\"", "42"},
    {"\"-42\"", "-42"}, {"\"-0\"", "0"}, {"\"007\"", "7"},
    {"\" \\t42\\n\"", "42"}, {"\"1_000\"", "1000"}, {"\"1__0\"", NULL},
    {"\"_1\"", NULL}, {"\"1_\"", NULL}, {"\"+_1\"", NULL}, {"\"- 1\"", NULL},
    {"\"4 2\"", NULL}, {"\"5.0\"", NULL}, {"\"0x10\"", NULL},
    {"\"1e3\"", NULL}, {"\"\"", NULL}, {"\" \"", NULL}, {"\"+\"", NULL},
    {"\"++1\"", NULL}, {"\"\\u0661\\u0662\"", "12"},
    {"\"\\uff11\\u0662\"", "12"}, {"\"\\u00a042\\u3000\"", "42"},
    {"\"\\u001f42\"", NULL}, {"\"42\\u200b\"", NULL}, {"\"\\ufeff42\"", NULL},
    {"\"\\u00b2\"", NULL}, {"\"\\ud835\\udfce\\ud835\\udfcf\"", "1"},
    {"\"42\\u0000\"", NULL}, {"[]", NULL}, {"{}", NULL}, {"\"\\ud800\"", NULL},
};

START_TEST(integers_are_read)
{
	struct field_integer value = {0};
	const char *msg = read_as(&v1_integer, NULL, integers[_i].text,
	    &value);

	if (integers[_i].digits == NULL) {
		ck_assert_msg(msg != NULL, "%s", integers[_i].text);
		ck_assert_str_eq(msg, "value is not a valid integer");
		return;
	}
	ck_assert_msg(msg == NULL, "%s", integers[_i].text);
	ck_assert_str_eq(value.digits.data, integers[_i].digits);
}
END_TEST

START_TEST(integers_in_strings_have_4300_code_points)
{
	struct field_integer value = {0};
	size_t i;

	buf_addc(&out, '"');
	for (i = 0; i < 4300; i++)
		buf_addc(&out, '7');
	buf_addc(&out, '"');
	ck_assert_ptr_null(read_as(&v1_integer, NULL, out.data, &value));
	ck_assert_int_eq(value.value, INT64_MAX);
	buf_truncate(&out, out.len - 1);
	buf_adds(&out, " \"");
	ck_assert_ptr_nonnull(read_as(&v1_integer, NULL, out.data, &value));
}
END_TEST

/* ---- dates --------------------------------------------------------------- */

#define TYPE "invalid type; expected date, string, bytes, int or float"
#define NUMBER "cannot convert float NaN to integer"
#define FORMAT "invalid date format"

static const struct {
	const char *text, *date; /* or the message */
} dates[] = {
    {"\"2023-01-02\"", "2023-01-02"}, {"\"2023-1-2\"", "2023-01-02"},
    {"\"2023-1-2\\n\"", "2023-01-02"}, {"\"2023-1-2\\n\\n\"", FORMAT},
    {"\"2023-1-2 \"", FORMAT}, {"\" 2023-1-2\"", FORMAT},
    {"\"2024-02-29\"", "2024-02-29"}, {"\"2023-02-29\"", FORMAT},
    {"\"1900-02-29\"", FORMAT}, {"\"2000-02-29\"", "2000-02-29"},
    {"\"0000-01-01\"", FORMAT}, {"\"0001-01-01\"", "0001-01-01"},
    {"\"9999-12-31\"", "9999-12-31"}, {"\"2023-13-01\"", FORMAT},
    {"\"2023-00-01\"", FORMAT}, {"\"2023-04-31\"", FORMAT},
    {"\"2023-01-001\"", FORMAT}, {"\"23-01-01\"", FORMAT},
    {"\"02023-01-01\"", FORMAT}, {"\"2023-01-01T00:00:00\"", FORMAT},
    {"\"2023/01/01\"", FORMAT}, {"\"\"", FORMAT}, {"\"bad_date\"", FORMAT},
    {"\"\\u0662\\u0660\\u0662\\u0663-\\uff11-2\"", "2023-01-02"},
    {"0", "1970-01-01"}, {"true", "1970-01-01"}, {"false", "1970-01-01"},
    {"86399", "1970-01-01"}, {"86400", "1970-01-02"}, {"-1", "1969-12-31"},
    {"-0.0000001", "1970-01-01"}, {"-0.000001", "1969-12-31"},
    {"86399.9999999", "1970-01-02"}, {"86399.9999994", "1970-01-01"},
    {"1672617600", "2023-01-02"}, {"1672617600000", "2023-01-02"},
    {"1672617600000000", "2023-01-02"}, {"20000000000", "2603-10-11"},
    {"20000000001", "1970-08-20"}, {"300000000000000000000", "1979-07-05"},
    {"300000000000000000001", "9999-12-31"}, {"3e20", "1979-07-05"},
    {"1e999", "9999-12-31"}, {"-1e999", "0001-01-01"},
    {"-300000000000000000001", "0001-01-01"}, {"NaN", NUMBER},
    {"\"nan\"", NUMBER}, {"\"-NaN\"", NUMBER}, {"\"inf\"", "9999-12-31"},
    {"\"-Infinity\"", "0001-01-01"}, {"\"infinit\"", FORMAT},
    {"\"0\"", "1970-01-01"}, {"\" 86400 \"", "1970-01-02"},
    {"\"8_64_00.\"", "1970-01-02"}, {"\".5\"", "1970-01-01"},
    {"\".\"", FORMAT}, {"\"1e5\"", "1970-01-02"}, {"\"1e\"", FORMAT},
    {"\"1e+5\"", "1970-01-02"}, {"\"8_6400e0_0\"", "1970-01-02"},
    {"\"1_.5\"", FORMAT}, {"\"0x10\"", FORMAT}, {"\"20230102\"", "1970-08-23"},
    {"\"\\u0668\\u0666\\u0664\\u0660\\u0660\"", "1970-01-02"}, {"[]", TYPE},
    {"{}", TYPE},
};

START_TEST(dates_are_read)
{
	struct field_date value = {0};
	const char *msg = read_as(&v1_date, NULL, dates[_i].text, &value);
	char text[DATE_TEXT];

	if (msg == NULL) {
		date_text(value.day, text);
		msg = text;
	}
	ck_assert_msg(strcmp(msg, dates[_i].date) == 0, "%s: %s, not %s",
	    dates[_i].text, msg, dates[_i].date);
}
END_TEST

START_TEST(every_day_comes_back)
{
	int32_t day, again;
	int year, month, mday;
	char text[DATE_TEXT];

	for (day = -719162; day <= 2932896; day += 97) {
		date_text(day, text);
		ck_assert(pynumber_date(span_of(text), &year, &month, &mday));
		ck_assert(date_day(year, month, mday, &again));
		ck_assert_int_eq(day, again);
	}
}
END_TEST

/* ---- mappings and objects ------------------------------------------------ */

#define DICT "value is not a valid dict"
#define KEYS "keywords must be strings"

static const struct {
	const char *text;
	const char *mapping, *object; /* messages; NULL: accepted */
} mappings[] = {
    {"{}", NULL, NULL}, {"{\"a\":1}", NULL, NULL}, {"\"\"", NULL, NULL},
    {"\"ab\"", DICT, DICT}, {"[]", NULL, NULL}, {"[\"ab\"]", NULL, NULL},
    {"[\"abc\"]", DICT, DICT}, {"[\"a\"]", DICT, DICT}, {"[\"\"]", DICT, DICT},
    {"[\"\xC3\xA9\xF0\x9F\x98\x80\"]", NULL, NULL},
    {"[\"\\ud800\\u0000\"]", NULL, NULL}, {"[[1,2]]", NULL, KEYS},
    {"[[\"a\",[]]]", NULL, NULL}, {"[[[],1]]", DICT, DICT},
    {"[[{},1]]", DICT, DICT}, {"[[null,1]]", NULL, KEYS},
    {"[[true,1],[\"a\",2]]", NULL, KEYS}, {"[[1,2],[1]]", DICT, DICT},
    {"[[1,2],[[],1]]", DICT, DICT}, {"[[\"a\",1,2]]", DICT, DICT},
    {"[{\"a\":1,\"b\":2}]", NULL, NULL}, {"[{\"a\":1}]", DICT, DICT},
    {"[{\"a\":1,\"b\":2,\"a\":3}]", NULL, NULL},
    {"[{\"a\":1,\"a\":2}]", DICT, DICT}, {"[1]", DICT, DICT},
    {"[null]", DICT, DICT}, {"1", DICT, DICT}, {"true", DICT, DICT},
    {"1.5", DICT, DICT},
};

START_TEST(mappings_are_read)
{
	struct keeping_sink sink = {{keep_error}, NULL};
	struct validation v = {&arena, &sink.sink, 0, false};
	bool given = false;
	const char *msg = read_as(&v1_mapping, NULL, mappings[_i].text,
	    &given);

	ck_assert_msg(msg == mappings[_i].mapping ||
	        strcmp(msg, mappings[_i].mapping) == 0, "%s",
	    mappings[_i].text);
	ck_assert(given == (msg == NULL));
	(void)v1_dialect.object(&v, NULL,
	    decode(span_of(mappings[_i].text)), NULL, NULL);
	ck_assert_msg(sink.msg == mappings[_i].object ||
	        strcmp(sink.msg, mappings[_i].object) == 0, "%s",
	    mappings[_i].text);
}
END_TEST

static void
write_member(void *arg, struct span name, const struct pyjson *value)
{
	jsonout_comma(arg);
	jsonout_string(arg, name);
	buf_addc(arg, ':');
	pyjson_write(arg, value);
}

START_TEST(pairs_are_members)
{
	struct validation v = {&arena, &field_sink_none, 0, false};

	buf_addc(&out, '{');
	ck_assert(v1_dialect.object(&v, NULL,
	    decode(SPAN("[\"ab\",[\"c\",[1]],{\"d\":0,\"e\":0},"
		"\"\xC3\xA9\\n\"]")),
	    write_member, &out));
	buf_addc(&out, '}');
	ck_assert_str_eq(buf_text(&out),
	    "{\"a\":\"b\",\"c\":[1],\"d\":\"e\",\"\xC3\xA9\":\"\\n\"}");
}
END_TEST

Suite *
v1_kinds_suite(void)
{
	Suite *s = suite_create("v1_kinds");
	TCase *t = tcase_create("v1_kinds");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, booleans_are_read, 0, N(booleans));
	tcase_add_loop_test(t, texts_are_read, 0, N(texts));
	tcase_add_loop_test(t, integers_are_read, 0, N(integers));
	tcase_add_test(t, integers_in_strings_have_4300_code_points);
	tcase_add_loop_test(t, dates_are_read, 0, N(dates));
	tcase_add_test(t, every_day_comes_back);
	tcase_add_loop_test(t, mappings_are_read, 0, N(mappings));
	tcase_add_test(t, pairs_are_members);
	suite_add_tcase(s, t);
	return s;
}
