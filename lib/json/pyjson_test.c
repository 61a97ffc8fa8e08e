#include "json/pyjson.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

Suite *pyjson_suite(void);

#define N(rows) ((int)(sizeof(rows) / sizeof((rows)[0])))
#define ARENA_MAX (64U << 20)

static struct arena arena;
static struct buf out;

static void
setup(void)
{
	arena_init(&arena, ARENA_MAX);
	buf_init(&out, ARENA_MAX);
}

static void
teardown(void)
{
	arena_release(&arena);
	buf_release(&out);
}

/* ---- faults: message and position as CPython 3.11 gives them ---------- */

static const struct {
	const char *name;
	struct span text;
	const char *msg;
	size_t pos, line, column;
} faults[] = {
    {"empty", SPAN(""), "Expecting value", 0, 1, 1},
    {"blanks only", SPAN(" \n "), "Expecting value", 3, 2, 2},
    {"no value", SPAN("x"), "Expecting value", 0, 1, 1},
    {"minus alone", SPAN("[-]"), "Expecting value", 1, 1, 2},
    {"minus and letters", SPAN("-Inf"), "Expecting value", 0, 1, 1},
    {"leading zero", SPAN("01"), "Extra data", 1, 1, 2},
    {"point without digit", SPAN("1."), "Extra data", 1, 1, 2},
    {"point first", SPAN(".5"), "Expecting value", 0, 1, 1},
    {"plus", SPAN("+1"), "Expecting value", 0, 1, 1},
    {"exponent alone", SPAN("[1e]"), "Expecting ',' delimiter", 2, 1, 3},
    {"exponent sign", SPAN("[1e+]"), "Expecting ',' delimiter", 2, 1, 3},
    {"exponent after fraction", SPAN("1.5e"), "Extra data", 3, 1, 4},
    {"literal goes on", SPAN("nullx"), "Extra data", 4, 1, 5},
    {"literal cut", SPAN("nul"), "Expecting value", 0, 1, 1},
    {"literal case", SPAN("True"), "Expecting value", 0, 1, 1},
    {"array trailing comma", SPAN("[1,]"), "Expecting value", 3, 1, 4},
    {"array only comma", SPAN("[,]"), "Expecting value", 1, 1, 2},
    {"array open", SPAN("["), "Expecting value", 1, 1, 2},
    {"array open after value", SPAN("[1"), "Expecting ',' delimiter", 2, 1,
        3},
    {"array open after comma", SPAN("[1, "), "Expecting value", 4, 1, 5},
    {"array closed as object", SPAN("[1}"), "Expecting ',' delimiter", 2, 1,
        3},
    {"object trailing comma", SPAN("{\"a\":1,}"),
        "Expecting property name enclosed in double quotes", 7, 1, 8},
    {"object open", SPAN("{"),
        "Expecting property name enclosed in double quotes", 1, 1, 2},
    {"object single quotes", SPAN("{ 'a':1}"),
        "Expecting property name enclosed in double quotes", 2, 1, 3},
    {"object no colon", SPAN("{\"a\" 1}"), "Expecting ':' delimiter", 5, 1,
        6},
    {"object ends after name", SPAN("{\"a\""), "Expecting ':' delimiter", 4,
        1, 5},
    {"object no value", SPAN("{\"a\":}"), "Expecting value", 5, 1, 6},
    {"object no comma", SPAN("{\"a\":1 \"b\"}"), "Expecting ',' delimiter",
        7, 1, 8},
    {"object closed as array", SPAN("{\"a\":1]"), "Expecting ',' delimiter",
        6, 1, 7},
    {"extra bracket", SPAN("[]]"), "Extra data", 2, 1, 3},
    {"two values", SPAN("1 \n 2"), "Extra data", 4, 2, 2},
    {"second mark", SPAN("\xEF\xBB\xBF{}"), "Expecting value", 0, 1, 1},
    {"string open", SPAN(" \"abc"), "Unterminated string starting at", 1, 1,
        2},
    {"string ends in backslash", SPAN("\"ab\\"),
        "Unterminated string starting at", 0, 1, 1},
    {"string open after escape", SPAN("\"\\nab"),
        "Unterminated string starting at", 0, 1, 1},
    {"tab in string", SPAN("{\"a\":\"x\ty\"}"),
        "Invalid control character at", 7, 1, 8},
    {"NUL in string", SPAN("\"\0\""), "Invalid control character at", 1, 1,
        2},
    {"LF in long string", SPAN("\"0123456789abcdef\n\""),
        "Invalid control character at", 17, 1, 18},
    {"control after escape", SPAN("\"\\n\x1f\""),
        "Invalid control character at", 3, 1, 4},
    {"unknown escape", SPAN("\"a\\x\""), "Invalid \\escape", 2, 1, 3},
    {"escape of a letter beyond ASCII", SPAN("\"\\\xC3\xA9\""),
        "Invalid \\escape", 1, 1, 2},
    {"escaped NUL byte", SPAN("\"\\\0\""), "Invalid \\escape", 1, 1, 2},
    {"upper-case U", SPAN("\"\\U0041\""), "Invalid \\escape", 1, 1, 2},
    {"hex digit missing", SPAN("\"\\u00g0\""), "Invalid \\uXXXX escape", 2, 1,
        3},
    {"hex sign", SPAN("\"\\u+123\""), "Invalid \\uXXXX escape", 2, 1, 3},
    {"escape at the end", SPAN("\"\\u00e9"), "Invalid \\uXXXX escape", 2, 1,
        3},
    {"escape and one more", SPAN("\"\\u00e9x"),
        "Unterminated string starting at", 0, 1, 1},
    {"second escape bad", SPAN("\"\\ud800\\u12x4\""),
        "Invalid \\uXXXX escape", 8, 1, 9},
    {"second escape cut", SPAN("\"\\ud800\\udc00"), "Invalid \\uXXXX escape",
        8, 1, 9},
    {"second escape no u", SPAN("\"\\ud800\\x\""), "Invalid \\escape", 7, 1,
        8},
    {"high at the end", SPAN("\"\\ud800"), "Invalid \\uXXXX escape", 2, 1, 3},
    {"code points, not bytes", SPAN("\"\xC3\xA9\xF0\x9F\x98\x80\"\r\n  x"),
        "Extra data", 8, 2, 3},
    {"CR ends no line", SPAN("\r\r x"), "Expecting value", 3, 1, 4},
    {"column after LF", SPAN("{\n\n \"a\"\n:\n}"), "Expecting value", 10, 5,
        1},
    {"lone surrogate counts one", SPAN("\"\xED\xA0\x80"),
        "Unterminated string starting at", 0, 1, 1},
    {"form feed is no blank", SPAN("\f1"), "Expecting value", 0, 1, 1},
    {"no-break space is no blank", SPAN("\xC2\xA0" "1"), "Expecting value", 0,
        1, 1},
    {"comment", SPAN("[1 /* */]"), "Expecting ',' delimiter", 3, 1, 4},
    {"NUL after value", SPAN("1\0"), "Extra data", 1, 1, 2},
    {"an earlier fault wins over depth later", SPAN("[x[[["),
        "Expecting value", 1, 1, 2},
};

START_TEST(faults_are_cpythons)
{
	const struct pyjson *v;
	struct pyjson_error e = {0};

	ck_assert_msg(pyjson_decode(&arena, faults[_i].text, NULL, &v, &e) ==
	        ERR_SYNTAX, "%s", faults[_i].name);
	ck_assert_ptr_null(v);
	ck_assert_str_eq(e.msg, faults[_i].msg);
	ck_assert_msg(e.pos == faults[_i].pos && e.line == faults[_i].line &&
	        e.column == faults[_i].column, "%s: %zu %zu %zu",
	    faults[_i].name, e.pos, e.line, e.column);
}
END_TEST

/* ---- what is accepted, seen through the encoder ------------------------ */

static const struct {
	const char *name;
	struct span text, written;
} values[] = {
    {"null", SPAN("null"), SPAN("null")},
    {"blanks around", SPAN(" \t\r\n{ \"a\" : [ 1 , 2 ] } \n"),
        SPAN("{\"a\":[1,2]}")},
    {"nested empties", SPAN("[[],{},[[]],{\"a\":{}}]"),
        SPAN("[[],{},[[]],{\"a\":{}}]")},
    {"integers keep their digits", SPAN("[-0,0,123456789012345678901234567890"
        ",-7]"), SPAN("[0,0,123456789012345678901234567890,-7]")},
    {"floats", SPAN("[1.0,1e0,-0.0,1E+2,5e-324,1e16]"),
        SPAN("[1.0,1.0,-0.0,100.0,5e-324,1e+16]")},
    {"no number in JSON", SPAN("[NaN,Infinity,-Infinity,1e999,-1e999]"),
        SPAN("[null,null,null,null,null]")},
    {"escapes", SPAN("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\u00e9\""),
        SPAN("\"\\\"\\\\/\\b\\f\\n\\r\\tA\xC3\xA9\"")},
    {"pair joins", SPAN("\"\\ud83d\\ude00\""), SPAN("\"\xF0\x9F\x98\x80\"")},
    {"pair in either case", SPAN("\"\\uD83D\\uDE00x\""),
        SPAN("\"\xF0\x9F\x98\x80x\"")},
    {"lone high", SPAN("\"\\ud83dx\""), SPAN("\"\\ud83dx\"")},
    {"lone low", SPAN("\"\\ude00\""), SPAN("\"\\ude00\"")},
    {"high and no low", SPAN("\"\\ud83d\\u0041\""), SPAN("\"\\ud83dA\"")},
    {"high, high, low", SPAN("\"\\ud83d\\ud83d\\ude00\""),
        SPAN("\"\\ud83d\xF0\x9F\x98\x80\"")},
    {"raw surrogates do not join", SPAN("\"\xED\xA0\xBD\xED\xB8\x80\""),
        SPAN("\"\\ud83d\\ude00\"")},
    {"escaped and raw do not join", SPAN("\"\\ud83d\xED\xB8\x80\""),
        SPAN("\"\\ud83d\\ude00\"")},
    {"NUL", SPAN("\"a\\u0000b\""), SPAN("\"a\\u0000b\"")},
    {"DEL and U+2028", SPAN("\"\x7F\xE2\x80\xA8\""),
        SPAN("\"\x7F\xE2\x80\xA8\"")},
    {"last value, first place", SPAN("{\"a\":1,\"b\":2,\"a\":[3,{\"x\":4}]}"),
        SPAN("{\"a\":[3,{\"x\":4}],\"b\":2}")},
    {"three times", SPAN("{\"a\":[1,2],\"a\":{\"q\":1},\"b\":0,\"a\":\"z\"}"),
        SPAN("{\"a\":\"z\",\"b\":0}")},
    {"same after unescaping", SPAN("{\"a\":1,\"\\u0061\":2}"),
        SPAN("{\"a\":2}")},
    {"empty names", SPAN("{\"\":1,\"\":2}"), SPAN("{\"\":2}")},
    {"many names, some twice",
        SPAN("{\"a\":1,\"b\":2,\"c\":3,\"d\":4,\"e\":5,\"f\":6,\"g\":7,"
             "\"h\":[8],\"i\":9,\"long name over eight\":10,\"b\":[{}],"
             "\"h\":{\"h\":1,\"h\":2},\"long name over eight\":11,\"b\":12}"),
        SPAN("{\"a\":1,\"b\":12,\"c\":3,\"d\":4,\"e\":5,\"f\":6,\"g\":7,"
             "\"h\":{\"h\":2},\"i\":9,\"long name over eight\":11}")},
    {"duplicates inside what is replaced",
        SPAN("{\"a\":{\"x\":1,\"x\":2},\"a\":{\"y\":3,\"y\":4}}"),
        SPAN("{\"a\":{\"y\":4}}")},
};

START_TEST(values_are_read)
{
	const struct pyjson *v;

	ck_assert_msg(pyjson_decode(&arena, values[_i].text, NULL, &v, NULL) ==
	        ERR_NONE, "%s", values[_i].name);
	pyjson_write(&out, v);
	ck_assert_str_eq(buf_text(&out), values[_i].written.data);
}
END_TEST

/* ---- encodings ---------------------------------------------------------- */

static const struct {
	const char *name;
	struct span body;
	struct span text; /* data NULL: refused */
} bodies[] = {
    {"nothing", SPAN(""), SPAN("")},
    {"UTF-8", SPAN("{\"\xC3\xA9\"}"), SPAN("{\"\xC3\xA9\"}")},
    {"UTF-8 mark", SPAN("\xEF\xBB\xBF{}"), SPAN("{}")},
    {"one mark only", SPAN("\xEF\xBB\xBF\xEF\xBB\xBF{}"),
        SPAN("\xEF\xBB\xBF{}")},
    {"surrogate let through", SPAN("\"\xED\xA0\x80"), SPAN("\"\xED\xA0\x80")},
    {"stray byte", SPAN("{\"a\":\"\xFF\"}"), SPAN_NONE},
    {"stray continuation", SPAN("\x80"), SPAN_NONE},
    {"overlong", SPAN("\xC0\xAF"), SPAN_NONE},
    {"overlong 3", SPAN("\xE0\x80\xAF"), SPAN_NONE},
    {"overlong 4", SPAN("\xF0\x80\x80\x80"), SPAN_NONE},
    {"above 10FFFF", SPAN("\xF4\x90\x80\x80"), SPAN_NONE},
    {"cut off", SPAN("abcdefghij\xE2\x82"), SPAN_NONE},
    {"U+10FFFF", SPAN("\xF4\x8F\xBF\xBF"), SPAN("\xF4\x8F\xBF\xBF")},
    {"UTF-16LE mark", SPAN("\xFF\xFE{\0\"\0\xE9\0\"\0}\0"),
        SPAN("{\"\xC3\xA9\"}")},
    {"UTF-16BE mark", SPAN("\xFE\xFF\0[\0]"), SPAN("[]")},
    {"UTF-16LE", SPAN("[\0]\0"), SPAN("[]")},
    {"UTF-16BE", SPAN("\0[\0]"), SPAN("[]")},
    {"UTF-16LE of one", SPAN("1\0"), SPAN("1")},
    {"UTF-16BE of one", SPAN("\0" "1"), SPAN("1")},
    {"UTF-16LE, third zero", SPAN("1\0\0\x01"), SPAN("1\xC4\x80")},
    {"three bytes are UTF-8", SPAN("1\0 "), SPAN("1\0 ")},
    {"pair joins", SPAN("\xFF\xFE\x3D\xD8\x00\xDE"),
        SPAN("\xF0\x9F\x98\x80")},
    {"unpaired units stay", SPAN("\xFE\xFF\xD8\x3D\0a\xDE\x00\xD8\x3D"),
        SPAN("\xED\xA0\xBD" "a\xED\xB8\x80\xED\xA0\xBD")},
    {"half a unit", SPAN("\xFF\xFE{\0}"), SPAN_NONE},
    {"UTF-32LE mark", SPAN("\xFF\xFE\0\0[\0\0\0]\0\0\0"), SPAN("[]")},
    {"UTF-32BE mark", SPAN("\0\0\xFE\xFF\0\0\0[\0\0\0]"), SPAN("[]")},
    {"UTF-32LE", SPAN("1\0\0\0"), SPAN("1")},
    {"UTF-32BE", SPAN("\0\0\0" "1"), SPAN("1")},
    {"UTF-32 surrogate", SPAN("\0\0\xFE\xFF\0\0\xD8\x3D\0\0\xDE\0"),
        SPAN("\xED\xA0\xBD\xED\xB8\x80")},
    {"UTF-32 above 10FFFF", SPAN("\0\0\xFE\xFF\0\x11\0\0"), SPAN_NONE},
    {"UTF-32 far above", SPAN("\xFF\xFE\0\0\0\0\0\xFF"), SPAN_NONE},
    {"UTF-32 cut", SPAN("\0\0\xFE\xFF\0\0\0"), SPAN_NONE},
    {"mark and nothing", SPAN("\xFF\xFE"), SPAN("")},
};

START_TEST(bodies_are_decoded)
{
	struct span text;
	enum err err = pyjson_text(&arena, bodies[_i].body, &text);

	if (bodies[_i].text.data == NULL) {
		ck_assert_msg(err == ERR_SYNTAX, "%s", bodies[_i].name);
		return;
	}
	ck_assert_msg(err == ERR_NONE, "%s", bodies[_i].name);
	ck_assert_msg(span_equal(text, bodies[_i].text), "%s",
	    bodies[_i].name);
}
END_TEST

/* ---- limits, time, memory ------------------------------------------------ */

static struct span
repeat(const char *piece, size_t times, const char *before, const char *after)
{
	size_t i;

	buf_adds(&out, before);
	for (i = 0; i < times; i++)
		buf_adds(&out, piece);
	buf_adds(&out, after);
	ck_assert(buf_err(&out) == ERR_NONE);
	return buf_span(&out);
}

static enum err
decode(struct span text)
{
	const struct pyjson *v;

	return pyjson_decode(&arena, text, NULL, &v, NULL);
}

START_TEST(depth_is_limited)
{
	ck_assert(decode(repeat("[", 1000, "", "")) == ERR_SYNTAX);
	ck_assert(decode(repeat("]", 1000, "", "")) == ERR_NONE);
	buf_reset(&out);
	ck_assert(decode(repeat("{\"a\":", 1001, "", "")) == ERR_TOO_BIG);
	buf_reset(&out);
	ck_assert(decode(repeat("[", 1200, "", "")) == ERR_TOO_BIG);
}
END_TEST

START_TEST(integers_have_4300_digits)
{
	ck_assert(decode(repeat("9", 4300, "[-", "]")) == ERR_NONE);
	buf_reset(&out);
	ck_assert(decode(repeat("9", 4301, "[", "]")) == ERR_TOO_BIG);
	buf_reset(&out);
	ck_assert(decode(repeat("9", 4301, "[", "x")) == ERR_TOO_BIG);
	buf_reset(&out);
	ck_assert(decode(repeat("9", 4301, "[x,", "]")) == ERR_SYNTAX);
	buf_reset(&out);
	ck_assert(decode(repeat("9", 100000, "[", ".5]")) == ERR_NONE);
	buf_reset(&out);
	ck_assert(decode(repeat("9", 100000, "[", "e1]")) == ERR_NONE);
}
END_TEST

START_TEST(other_limits_are_the_callers)
{
	const struct pyjson_limits limits = {.nodes = 3, .bytes = 20};
	const struct pyjson *v;

	ck_assert(pyjson_decode(&arena, SPAN("[1,2]"), &limits, &v, NULL) ==
	    ERR_NONE);
	ck_assert(pyjson_decode(&arena, SPAN("[1,2,3]"), &limits, &v, NULL) ==
	    ERR_TOO_BIG);
	ck_assert(pyjson_decode(&arena, SPAN("[\"12345678901234567\"]"),
	    &limits, &v, NULL) == ERR_TOO_BIG);
	arena_release(&arena);
	arena_init(&arena, 40);
	ck_assert(pyjson_decode(&arena, SPAN("[1,2]"), NULL, &v, NULL) ==
	    ERR_MEMORY);
	ck_assert_ptr_null(v);
}
END_TEST

static const struct {
	const char *name, *before, *piece, *after;
} hostile[] = {
    {"ones", "[", "1,", "1]"},
    {"empty arrays", "[", "[],", "[]]"},
    {"empty strings", "[", "\"\",", "1]"},
    {"escapes", "[", "\"\\n\",", "1]"},
    {"one name again and again", "{", "\"\":1,", "\"\":1}"},
    {"objects of two", "[", "{\"\":1,\"\":1},", "1]"},
    {"deep pieces", "[", "[[[[[[[[[[]]]]]]]]]],", "1]"},
};

START_TEST(hostile_bodies_cost_12_times_at_most)
{
	size_t times = (1U << 20) / strlen(hostile[_i].piece);
	struct span text = repeat(hostile[_i].piece, times, hostile[_i].before,
	    hostile[_i].after);

	ck_assert(decode(text) == ERR_NONE);
	ck_assert_msg(arena.used + text.len <= 12 * text.len, "%s: %zu",
	    hostile[_i].name, arena.used / text.len);
}
END_TEST

START_TEST(many_names_take_linear_time)
{
	const struct pyjson *v;
	clock_t begin; /* the processor's time: others may be busy too */
	size_t i;

	buf_addc(&out, '{');
	for (i = 0; i < 100000; i++)
		buf_printf(&out, "\"%zu\":%zu,", i % 60000, i);
	buf_adds(&out, "\"0\":-1}");
	begin = clock();
	ck_assert(pyjson_decode(&arena, buf_span(&out), NULL,
	    &v, NULL) == ERR_NONE);
	ck_assert_int_lt((clock() - begin) / (CLOCKS_PER_SEC / 1000), 1500);
	ck_assert_uint_eq(pyjson_count(v), 60000);
	ck_assert_str_eq(pyjson_number(pyjson_get(v, "0")).data[0] == '-' ? "y"
									  : "n",
	    "y");
	ck_assert(span_is(pyjson_number(pyjson_get(v, "39999")), "99999"));
	ck_assert(span_is(pyjson_number(pyjson_get(v, "59999")), "59999"));
}
END_TEST

/* ---- reading values ------------------------------------------------------ */

START_TEST(lookups_can_be_chained)
{
	const struct pyjson *v, *item, *value;
	struct pyjson_iter it;
	struct span name;
	int64_t n = 5;
	bool yes = false;

	ck_assert(pyjson_decode(&arena, SPAN("{\"a\":[{\"b\":\"x\"},7,true],"
	    "\"n\":null,\"f\":2.5,\"big\":9223372036854775808}"), NULL, &v,
	    NULL) == ERR_NONE);
	item = pyjson_item(pyjson_get(v, "a"), 0);
	ck_assert(span_is(pyjson_string(pyjson_get(item, "b")), "x"));
	ck_assert_str_eq(pyjson_cstring(pyjson_get(item, "b"), &arena), "x");
	ck_assert(pyjson_int64(pyjson_item(pyjson_get(v, "a"), 1), &n));
	ck_assert_int_eq(n, 7);
	ck_assert(pyjson_bool(pyjson_item(pyjson_get(v, "a"), 2), &yes) && yes);
	ck_assert(!pyjson_int64(pyjson_get(v, "big"), &n));
	ck_assert(!pyjson_int64(pyjson_get(v, "f"), &n));
	ck_assert_int_eq(n, 7);
	ck_assert(pyjson_double(pyjson_get(v, "f")) == 2.5);
	ck_assert(isnan(pyjson_double(pyjson_get(v, "n"))));
	ck_assert(!pyjson_given(pyjson_get(v, "n")));
	ck_assert(pyjson_kind(pyjson_get(v, "n")) == PYJSON_NULL);
	ck_assert(pyjson_kind(pyjson_get(v, "none")) == PYJSON_ABSENT);
	ck_assert_ptr_null(pyjson_get(pyjson_get(v, "f"), "g"));
	ck_assert_ptr_null(pyjson_item(pyjson_get(v, "a"), 3));
	ck_assert_ptr_null(pyjson_item(v, 0));
	ck_assert_ptr_null(pyjson_string(v).data);
	ck_assert_uint_eq(pyjson_count(v), 4);
	ck_assert_uint_eq(pyjson_count(NULL), 0);

	it = pyjson_iter(NULL);
	ck_assert(!pyjson_next(&it, &name, &value));
	it = pyjson_iter(v);
	ck_assert(pyjson_next(&it, &name, &value) && span_is(name, "a"));
	ck_assert(pyjson_next(&it, NULL, &value));
	ck_assert(pyjson_next(&it, &name, &value) && span_is(name, "f"));
	item = pyjson_make_string(&arena, SPAN("made"));
	pyjson_write(&out, item);
	ck_assert_str_eq(buf_text(&out), "\"made\"");
}
END_TEST

START_TEST(a_number_may_end_the_memory)
{
	char *text = malloc(3);
	const struct pyjson *v;

	ck_assert_ptr_nonnull(text);
	memcpy(text, "1.5", 3);
	ck_assert(pyjson_decode(&arena, (struct span){text, 3}, NULL, &v,
	    NULL) == ERR_NONE);
	ck_assert(pyjson_double(v) == 1.5);
	free(text);
}
END_TEST

Suite *
pyjson_suite(void)
{
	Suite *s = suite_create("pyjson");
	TCase *t = tcase_create("pyjson");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, faults_are_cpythons, 0, N(faults));
	tcase_add_loop_test(t, values_are_read, 0, N(values));
	tcase_add_loop_test(t, bodies_are_decoded, 0, N(bodies));
	tcase_add_loop_test(t, hostile_bodies_cost_12_times_at_most, 0,
	    N(hostile));
	tcase_add_test(t, depth_is_limited);
	tcase_add_test(t, integers_have_4300_digits);
	tcase_add_test(t, other_limits_are_the_callers);
	tcase_add_test(t, many_names_take_linear_time);
	tcase_add_test(t, lookups_can_be_chained);
	tcase_add_test(t, a_number_may_end_the_memory);
	suite_add_tcase(s, t);
	return s;
}
