#include "http/accept_language.h"

#include <check.h>

Suite *accept_language_suite(void);

static const char *const codes[] = {"en", "de", "zh"};

static const struct {
	const char *header;
	size_t wanted;
} rows[] = {
    {NULL, 0},
    {"", 0},
    {"de", 1},
    {"DE-ch", 1},
    {"de-CH, en;q=0.9", 1},
    {"fr, de;q=0.5, en;q=0.4", 1},
    {"en;q=0.4,de;q=0.5", 1},
    {"de;q=0, zh;q=0.1", 2},
    {"de;q=0.5, zh;q=0.5", 1},
    {"fr, *;q=0.5, de;q=0.4", 0},
    {"zh-Hant-TW", 2},
    {"de;q=2, zh;q=0.1", 2},
    {"de;q=0.12345, zh;q=0.1", 2},
    {"de;q=x, zh", 2},
    {"de;level=1, zh;q=0.2", 2},
    {",,;;,de ; q = 0.3", 1},
    {"deutsch", 0},
    {"\xff\xfe, de", 1},
};

START_TEST(the_wanted_language_is_found)
{
	ck_assert_uint_eq(accept_language(rows[_i].header, codes, 3, 0),
	    rows[_i].wanted);
}
END_TEST

Suite *
accept_language_suite(void)
{
	Suite *s = suite_create("accept_language");
	TCase *t = tcase_create("headers");

	tcase_add_loop_test(t, the_wanted_language_is_found, 0,
	    (int)(sizeof(rows) / sizeof(rows[0])));
	suite_add_tcase(s, t);
	return s;
}
