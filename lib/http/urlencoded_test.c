#include "http/urlencoded.h"

#include <check.h>

Suite *urlencoded_suite(void);

static const struct {
	const char *text;
	bool plus;
	const char *decoded;
} decodings[] = {
    {"", false, ""},
    {"/v1/chat", false, "/v1/chat"},
    {"a%20b+c", false, "a b+c"},
    {"a%20b+c", true, "a b c"},
    {"%2f%2F", false, "//"},
    {"100%", false, "100%"},
    {"%4", false, "%4"},
    {"%zz%41", false, "%zzA"},
    {"%%41", false, "%A"},
    {"%2541", false, "%41"},
};

START_TEST(decodes)
{
	struct arena a;
	struct span out;

	arena_init(&a, 1000);
	out = percent_decode(&a, span_of(decodings[_i].text),
	    decodings[_i].plus);
	ck_assert_str_eq(out.data, decodings[_i].decoded);
	arena_release(&a);
}
END_TEST

static const struct {
	const char *query, *name, *value; /* value NULL: absent */
} finds[] = {
    {"user=abc&limit=20", "limit", "20"},
    {"user=abc&limit=20", "user", "abc"},
    {"user=a&user=b", "user", "a"},
    {"user=", "user", ""},
    {"user", "user", ""},
    {"&&user=x&", "user", "x"},
    {"%75ser=x%26y", "user", "x&y"},
    {"usersub=x", "user", NULL},
    {"use=x", "user", NULL},
    {"", "user", NULL},
    {"a=b=c", "a", "b=c"},
    {"a=1+2", "a", "1 2"},
    {"user%00=x", "user", NULL},
};

START_TEST(finds_a_value)
{
	struct span value = SPAN_NONE;
	struct arena a;
	bool found;

	arena_init(&a, 1000);
	found = urlencoded_find(span_of(finds[_i].query), finds[_i].name, &a,
	    &value);
	ck_assert_int_eq(found, finds[_i].value != NULL);
	if (found)
		ck_assert_str_eq(value.data, finds[_i].value);
	arena_release(&a);
}
END_TEST

Suite *
urlencoded_suite(void)
{
	Suite *s = suite_create("urlencoded");
	TCase *t = tcase_create("decode");

	tcase_add_loop_test(t, decodes, 0,
	    (int)(sizeof(decodings) / sizeof(decodings[0])));
	tcase_add_loop_test(t, finds_a_value, 0,
	    (int)(sizeof(finds) / sizeof(finds[0])));
	suite_add_tcase(s, t);
	return s;
}
