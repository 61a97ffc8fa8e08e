#include "site/visitor.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

Suite *visitor_suite(void);

static const uint8_t key[SECRET_KEY] = {1, 2, 3};
static const uint8_t other[SECRET_KEY] = {1, 2, 4};

START_TEST(a_token_names_its_visitor)
{
	struct visitor v, seen = {.is_new = true};
	char token[VISITOR_TOKEN];

	ck_assert_int_eq(visitor_new(&v), ERR_NONE);
	ck_assert(v.is_new);
	visitor_token(key, "demo", &v, 1000, token);
	ck_assert(visitor_read(key, "demo", span_of(token), 1000, &seen));
	ck_assert_str_eq(seen.id, v.id);
	ck_assert(!seen.is_new);
}
END_TEST

START_TEST(a_token_is_of_one_site_key_and_time)
{
	struct visitor v, seen;
	char token[VISITOR_TOKEN];

	ck_assert_int_eq(visitor_new(&v), ERR_NONE);
	visitor_token(key, "demo", &v, 1000, token);
	ck_assert(!visitor_read(key, "demo", span_of(token), 1001, &seen));
	ck_assert(!visitor_read(key, "dem", span_of(token), 1000, &seen));
	ck_assert(!visitor_read(other, "demo", span_of(token), 1000, &seen));
}
END_TEST

/* Each byte of it counts. */
START_TEST(a_changed_token_is_refused)
{
	struct visitor v, seen;
	char token[VISITOR_TOKEN];
	size_t len, i;

	ck_assert_int_eq(visitor_new(&v), ERR_NONE);
	visitor_token(key, "demo", &v, INT64_C(0x7fffffffff), token);
	len = strlen(token);
	for (i = 0; i < len; i++) {
		char was = token[i];

		token[i] = was == 'a' ? 'b' : 'a';
		ck_assert_msg(!visitor_read(key, "demo", span_of(token), 0,
		    &seen), "byte %zu", i);
		token[i] = was;
		ck_assert(!visitor_read(key, "demo",
		    (struct span){token, i}, 0, &seen));
	}
	token[len] = '0';
	ck_assert(!visitor_read(key, "demo", (struct span){token, len + 1}, 0,
	    &seen));
}
END_TEST

static const char *const wrong[] = {"", ".", "...", "v1", "v1...", "v2.a.b.c",
    "v1.0123456789abcdef0123456789abcdef.",
    "v1.0123456789abcdef0123456789abcdef.ffffffffffffffffffff.00",
    "v1.0123456789abcdef0123456789abcdef.-1.00"};

START_TEST(what_is_no_token_is_refused)
{
	struct visitor seen;

	ck_assert(!visitor_read(key, "demo", span_of(wrong[_i]), 0, &seen));
}
END_TEST

Suite *
visitor_suite(void)
{
	Suite *s = suite_create("visitor");
	TCase *t = tcase_create("tokens");

	tcase_add_test(t, a_token_names_its_visitor);
	tcase_add_test(t, a_token_is_of_one_site_key_and_time);
	tcase_add_test(t, a_changed_token_is_refused);
	tcase_add_loop_test(t, what_is_no_token_is_refused, 0,
	    (int)(sizeof(wrong) / sizeof(wrong[0])));
	suite_add_tcase(s, t);
	return s;
}
