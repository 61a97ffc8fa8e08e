#include "base/words.h"

#include <check.h>
#include <string.h>

Suite *words_suite(void);

static const struct {
	const char *text;
	int64_t words;
} counts[] = {
    {"", 0},
    {" \t\n", 0},
    {"one", 1},
    {"  one two\nthree ", 3},
    {"a\xC2\xA0" "b\xE3\x80\x80" "c\xE2\x80\x83" "d", 4},
    {"zero\xE2\x80\x8Bwidth", 1},
    {"a\x1C" "b\x1F" "c", 3},
    {"bytes\xFFstay", 1},
};

START_TEST(words_stand_between_white_space)
{
	ck_assert_int_eq(
	    words_count(span_of(counts[_i].text)), counts[_i].words);
}
END_TEST

static const struct {
	const char *text;
	int64_t max;
	const char *passes;
	bool reached;
} limits[] = {
    {"one two three", 2, "one two", true},
    {"one two", 2, "one two", false},
    {"one two ", 2, "one two", true},
    {"  one  two", 1, "  one", true},
    {"one two three", 0, "one two three", false},
    {"\xC3\xA4\xC3\xB6\xC2\xA0x", 1, "\xC3\xA4\xC3\xB6", true},
    {" ", 1, " ", false},
};

START_TEST(the_limit_cuts_after_the_last_word)
{
	struct word_limit w = {.max = limits[_i].max};
	bool reached;
	struct span s =
	    word_limit_take(&w, span_of(limits[_i].text), &reached);

	ck_assert(span_is(s, limits[_i].passes));
	ck_assert(reached == limits[_i].reached);
}
END_TEST

START_TEST(a_word_may_come_in_pieces)
{
	struct word_limit w = {.max = 2};
	bool reached;

	ck_assert(span_is(word_limit_take(&w, SPAN("on"), &reached), "on"));
	ck_assert(span_is(word_limit_take(&w, SPAN("e t"), &reached), "e t"));
	ck_assert(span_is(word_limit_take(&w, SPAN("wo"), &reached), "wo"));
	ck_assert(!reached);
	ck_assert(span_is(word_limit_take(&w, SPAN("! x"), &reached), "!"));
	ck_assert(reached);
}
END_TEST

Suite *
words_suite(void)
{
	Suite *s = suite_create("words");
	TCase *t = tcase_create("words");

	tcase_add_loop_test(t, words_stand_between_white_space, 0,
	    sizeof(counts) / sizeof(counts[0]));
	tcase_add_loop_test(t, the_limit_cuts_after_the_last_word, 0,
	    sizeof(limits) / sizeof(limits[0]));
	tcase_add_test(t, a_word_may_come_in_pieces);
	suite_add_tcase(s, t);
	return s;
}
