#include "turn/title.h"

#include <check.h>
#include <string.h>

Suite *title_suite(void);

#define TEN "1234567890"
#define FIFTY TEN TEN TEN TEN TEN

static const struct {
	const char *query, *title;
} queries[] = {
    {"Hello", "Hello"},
    {"  two\nlines \t", "two lines"},
    {FIFTY, FIFTY},
    {FIFTY "1", TEN TEN TEN TEN "1234567..."},
    {"\xC3\xA9" FIFTY, "\xC3\xA9" TEN TEN TEN TEN "123456..."},
    {" \n ", ""},
};

START_TEST(a_question_is_its_own_title)
{
	struct arena arena;

	arena_init(&arena, 65536);
	ck_assert(span_is(title_from_query(&arena,
	    span_of(queries[_i].query)), queries[_i].title));
	arena_release(&arena);
}
END_TEST

static const struct {
	const char *answer, *title;
} answers[] = {
    {"Moons of Mars", "Moons of Mars"},
    {"\n\"Moons of Mars\"\nI hope this helps", "Moons of Mars"},
    {"**Moons**\r\nx", "Moons"},
    {FIFTY TEN TEN "12345", FIFTY TEN TEN "12345"},
    {FIFTY TEN TEN "123456", FIFTY TEN TEN "12345..."},
    {"\"\"", ""},
    {"", ""},
};

START_TEST(what_a_model_said_becomes_a_name)
{
	struct arena arena;

	arena_init(&arena, 65536);
	ck_assert(span_is(title_from_answer(&arena,
	    span_of(answers[_i].answer)), answers[_i].title));
	arena_release(&arena);
}
END_TEST

Suite *
title_suite(void)
{
	Suite *s = suite_create("title");
	TCase *t = tcase_create("title");

	tcase_add_loop_test(t, a_question_is_its_own_title, 0,
	    (int)(sizeof(queries) / sizeof(queries[0])));
	tcase_add_loop_test(t, what_a_model_said_becomes_a_name, 0,
	    (int)(sizeof(answers) / sizeof(answers[0])));
	suite_add_tcase(s, t);
	return s;
}
