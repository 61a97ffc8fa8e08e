#include "base/buf.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

Suite *buf_suite(void);

START_TEST(grows_and_ends_in_nul)
{
	struct buf b = BUF_INIT(1000);
	int i;

	for (i = 0; i < 1000; i++)
		buf_addc(&b, 'x');
	ck_assert_int_eq(buf_err(&b), ERR_NONE);
	ck_assert_uint_eq(b.len, 1000);
	ck_assert_int_eq(b.data[1000], '\0');
	buf_release(&b);
}
END_TEST

START_TEST(the_maximum_is_exact_and_sticks)
{
	struct buf b = BUF_INIT(4);

	buf_adds(&b, "abcd");
	ck_assert_int_eq(buf_err(&b), ERR_NONE);
	buf_addc(&b, 'e');
	ck_assert_int_eq(buf_err(&b), ERR_TOO_BIG);
	ck_assert_str_eq(buf_text(&b), "abcd");
	buf_release(&b);
	buf_adds(&b, "ok");
	ck_assert_int_eq(buf_err(&b), ERR_NONE);
	buf_release(&b);
}
END_TEST

START_TEST(consume_moves_the_rest_forward)
{
	struct buf b = BUF_INIT(100);

	buf_printf(&b, "%s %d", "abc", 17);
	buf_consume(&b, 4);
	ck_assert_str_eq(buf_text(&b), "17");
	buf_consume(&b, 10);
	ck_assert_str_eq(buf_text(&b), "");
	buf_release(&b);
}
END_TEST

Suite *
buf_suite(void)
{
	Suite *s = suite_create("buf");
	TCase *t = tcase_create("buf");

	tcase_add_test(t, grows_and_ends_in_nul);
	tcase_add_test(t, the_maximum_is_exact_and_sticks);
	tcase_add_test(t, consume_moves_the_rest_forward);
	suite_add_tcase(s, t);
	return s;
}
