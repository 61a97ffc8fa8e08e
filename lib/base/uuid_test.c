#include "base/uuid.h"

#include <check.h>
#include <string.h>

Suite *uuid_suite(void);

static const struct {
	const char *text;
	const char *parsed; /* NULL: refused */
} rows[] = {
    {"edf826b8-1b75-4f57-bd26-641c897f9c1e",
	"edf826b8-1b75-4f57-bd26-641c897f9c1e"},
    {"EDF826B81B754F57BD26641C897F9C1E",
	"edf826b8-1b75-4f57-bd26-641c897f9c1e"},
    {"{edf826b8-1b75-4f57-bd26-641c897f9c1e}",
	"edf826b8-1b75-4f57-bd26-641c897f9c1e"},
    {"urn:uuid:edf826b8-1b75-4f57-bd26-641c897f9c1e",
	"edf826b8-1b75-4f57-bd26-641c897f9c1e"},
    {"edf826b8-1b75-4f57-bd26-641c897f9c1", NULL},
    {"edf826b8-1b75-4f57-bd26-641c897f9c1e0", NULL},
    {"gdf826b8-1b75-4f57-bd26-641c897f9c1e", NULL},
    {"", NULL},
};

START_TEST(parses_the_liberal_form)
{
	char out[UUID_TEXT];
	bool ok = uuid_parse(span_of(rows[_i].text), out);

	ck_assert_int_eq(ok, rows[_i].parsed != NULL);
	if (ok)
		ck_assert_str_eq(out, rows[_i].parsed);
}
END_TEST

START_TEST(random_ones_differ_and_say_version_4)
{
	char a[UUID_TEXT], b[UUID_TEXT];

	ck_assert_int_eq(uuid_random(a), ERR_NONE);
	ck_assert_int_eq(uuid_random(b), ERR_NONE);
	ck_assert_str_ne(a, b);
	ck_assert(uuid_is_hyphenated(span_of(a)));
	ck_assert_int_eq(a[14], '4');
	ck_assert_ptr_nonnull(strchr("89ab", a[19]));
}
END_TEST

START_TEST(named_ones_are_stable_and_keep_spaces_apart)
{
	char a[UUID_TEXT], b[UUID_TEXT], c[UUID_TEXT];

	uuid_from_name("x", SPAN("yz"), a);
	uuid_from_name("x", SPAN("yz"), b);
	uuid_from_name("xy", SPAN("z"), c);
	ck_assert_str_eq(a, b);
	ck_assert_str_ne(a, c);
	ck_assert(uuid_is_hyphenated(span_of(a)));
}
END_TEST

Suite *
uuid_suite(void)
{
	Suite *s = suite_create("uuid");
	TCase *t = tcase_create("uuid");

	tcase_add_loop_test(t, parses_the_liberal_form, 0,
	    sizeof(rows) / sizeof(rows[0]));
	tcase_add_test(t, random_ones_differ_and_say_version_4);
	tcase_add_test(t, named_ones_are_stable_and_keep_spaces_apart);
	suite_add_tcase(s, t);
	return s;
}
