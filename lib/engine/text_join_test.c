#include "engine/text_join.h"

#include <check.h>
#include <string.h>

Suite *text_join_suite(void);

static const struct {
	const char *name, *input, *output;
} cases[] = {
    {"ascii", "hello", "hello"},
    {"two bytes", "gr\xC3\xBC\xC3\x9F", "gr\xC3\xBC\xC3\x9F"},
    {"four bytes", "a\xF0\x9F\x98\x80z", "a\xF0\x9F\x98\x80z"},
    {"surrogate pair", "a\xED\xA0\xBD\xED\xB8\x80z", "a\xF0\x9F\x98\x80z"},
    {"lone high", "a\xED\xA0\xBDz", "a\xEF\xBF\xBDz"},
    {"lone low", "a\xED\xB8\x80z", "a\xEF\xBF\xBDz"},
    {"two highs and a low", "\xED\xA0\xBD\xED\xA0\xBD\xED\xB8\x80",
	"\xEF\xBF\xBD\xF0\x9F\x98\x80"},
    {"high at the end", "a\xED\xA0\xBD", "a\xEF\xBF\xBD"},
    {"high and a cut character", "\xED\xA0\xBD\xC3",
	"\xEF\xBF\xBD\xEF\xBF\xBD"},
    {"cut at the end", "a\xF0\x9F\x98", "a\xEF\xBF\xBD"},
    {"stray bytes", "a\xFF\x80z", "a\xEF\xBF\xBD\xEF\xBF\xBDz"},
    {"cut inside", "a\xC3z", "a\xEF\xBF\xBDz"},
};

static void
run(int i, size_t step)
{
	struct buf out = BUF_INIT(100);
	struct text_join j = {.n = 0};
	size_t at, n, len = strlen(cases[i].input);

	for (at = 0; at < len; at += n) {
		n = step < len - at ? step : len - at;
		text_join_add(
		    &j, (struct span){cases[i].input + at, n}, &out);
	}
	text_join_end(&j, &out);
	ck_assert_msg(strcmp(buf_text(&out), cases[i].output) == 0,
	    "%s in steps of %zu: %s", cases[i].name, step, buf_text(&out));
	buf_release(&out);
}

START_TEST(any_split_gives_the_same)
{
	size_t step;

	for (step = 1; step <= strlen(cases[_i].input); step++)
		run(_i, step);
}
END_TEST

Suite *
text_join_suite(void)
{
	Suite *s = suite_create("text_join");
	TCase *t = tcase_create("cases");

	tcase_add_loop_test(t, any_split_gives_the_same, 0,
	    sizeof(cases) / sizeof(cases[0]));
	suite_add_tcase(s, t);
	return s;
}
