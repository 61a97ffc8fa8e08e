#include "auth/caller.h"

#include <check.h>
#include <string.h>

Suite *caller_suite(void);

START_TEST(a_made_key_is_found_by_its_text_alone)
{
	char text[KEY_TEXT], hash[KEY_HASH], other[KEY_TEXT], hash2[KEY_HASH];
	struct key_config keys[2];
	struct config c;
	struct span wrong;

	memset(&c, 0, sizeof(c));
	memset(keys, 0, sizeof(keys));
	ck_assert_int_eq(key_make("pk_", text, hash), ERR_NONE);
	ck_assert_int_eq(key_make("pk_", other, hash2), ERR_NONE);
	ck_assert_str_ne(text, other);
	ck_assert_ptr_null(strstr(hash, text));
	keys[0].hash = hash;
	keys[0].enabled = true;
	keys[1].hash = hash2;
	keys[1].enabled = false;
	c.keys = keys;
	c.n_keys = 2;
	ck_assert_ptr_eq(key_find(&c, span_of(text)), &keys[0]);
	ck_assert_ptr_null(key_find(&c, span_of(other))); /* switched off */
	ck_assert_ptr_null(key_find(&c, SPAN("")));
	wrong = span_of(text);
	wrong.len--;
	ck_assert_ptr_null(key_find(&c, wrong));
	ck_assert_ptr_null(key_find(&c, SPAN("demo-key")));
	c.server.demo = true;
	ck_assert_ptr_nonnull(key_find(&c, SPAN("demo-key")));
}
END_TEST

START_TEST(equal_keys_have_different_hashes)
{
	char a[KEY_HASH], b[KEY_HASH];

	ck_assert_int_eq(key_hash("same", a), ERR_NONE);
	ck_assert_int_eq(key_hash("same", b), ERR_NONE);
	ck_assert_str_ne(a, b);
	ck_assert_uint_eq(strlen(a), 7 + 32 + 1 + 64);
}
END_TEST

Suite *
caller_suite(void)
{
	Suite *s = suite_create("caller");
	TCase *t = tcase_create("caller");

	tcase_add_test(t, a_made_key_is_found_by_its_text_alone);
	tcase_add_test(t, equal_keys_have_different_hashes);
	suite_add_tcase(s, t);
	return s;
}
