#include "base/text.h"

#include <check.h>

#include "base/utf8.h"

Suite *text_suite(void);

static const struct {
	const char *text;
	int64_t min, max;
	bool ok;
	int64_t value;
} numbers[] = {
    {"0", 0, 10, true, 0},
    {"10", 0, 10, true, 10},
    {"11", 0, 10, false, 0},
    {"-1", -5, 10, true, -1},
    {"-1", 0, 10, false, 0},
    {"", 0, 10, false, 0},
    {"-", -5, 10, false, 0},
    {"1 ", 0, 10, false, 0},
    {"+1", 0, 10, false, 0},
    {"9223372036854775807", 0, INT64_MAX, true, INT64_MAX},
    {"9223372036854775808", 0, INT64_MAX, false, 0},
    {"-9223372036854775808", INT64_MIN, 0, true, INT64_MIN},
};

START_TEST(numbers_match_whole_and_in_range)
{
	int64_t value = 0;

	ck_assert_int_eq(text_to_int64(span_of(numbers[_i].text),
			     numbers[_i].min, numbers[_i].max, &value),
	    numbers[_i].ok);
	ck_assert_int_eq(value, numbers[_i].value);
}
END_TEST

START_TEST(cut_leaves_the_rest)
{
	struct span rest = SPAN("a,,b"), head;

	head = span_cut(&rest, ',');
	ck_assert(span_is(head, "a"));
	head = span_cut(&rest, ',');
	ck_assert(span_is(head, ""));
	head = span_cut(&rest, ',');
	ck_assert(span_is(head, "b"));
	ck_assert_ptr_null(rest.data);
}
END_TEST

START_TEST(distance_counts_changes)
{
	ck_assert_uint_eq(text_distance("persona", "persona"), 0);
	ck_assert_uint_eq(text_distance("perosna", "persona"), 2);
	ck_assert_uint_eq(text_distance("", "abc"), 3);
}
END_TEST

static const struct {
	struct span text;
	bool with_surrogates, without;
} utf8_rows[] = {
    {SPAN("caf\xC3\xA9 \xF0\x9F\x98\x80"), true, true},
    {SPAN("\xED\xA0\x80"), true, false},
    {SPAN("\xC0\x80"), false, false},
    {SPAN("\xE0\x80\x80"), false, false},
    {SPAN("\xF4\x90\x80\x80"), false, false},
    {SPAN("\xF0\x9F\x98"), false, false},
    {SPAN("\x80"), false, false},
    {SPAN("\xFF"), false, false},
};

START_TEST(utf8_is_strict_but_for_surrogates)
{
	ck_assert_int_eq(utf8_valid(utf8_rows[_i].text, true),
	    utf8_rows[_i].with_surrogates);
	ck_assert_int_eq(utf8_valid(utf8_rows[_i].text, false),
	    utf8_rows[_i].without);
}
END_TEST

Suite *
text_suite(void)
{
	Suite *s = suite_create("text");
	TCase *t = tcase_create("text");

	tcase_add_loop_test(t, numbers_match_whole_and_in_range, 0,
	    sizeof(numbers) / sizeof(numbers[0]));
	tcase_add_test(t, cut_leaves_the_rest);
	tcase_add_test(t, distance_counts_changes);
	tcase_add_loop_test(t, utf8_is_strict_but_for_surrogates, 0,
	    sizeof(utf8_rows) / sizeof(utf8_rows[0]));
	suite_add_tcase(s, t);
	return s;
}
