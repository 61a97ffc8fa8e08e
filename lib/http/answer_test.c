#include "http/answer.h"

#include <check.h>

Suite *answer_suite(void);

START_TEST(the_earliest_wake_wins)
{
	struct interests in;

	interests_none(&in);
	ck_assert_uint_eq(in.n, 0);
	ck_assert(in.wake_ms == INTERESTS_NEVER);
	interests_wake(&in, 500);
	interests_wake(&in, 900);
	ck_assert_int_eq(in.wake_ms, 500);
}
END_TEST

START_TEST(one_descriptor_too_many_makes_it_poll_at_once)
{
	struct interests in;
	int i;

	interests_none(&in);
	for (i = 0; i < INTERESTS_MAX; i++)
		interests_fd(&in, i, POLLIN);
	ck_assert(in.wake_ms == INTERESTS_NEVER);
	ck_assert_int_eq(in.fds[INTERESTS_MAX - 1].fd, INTERESTS_MAX - 1);
	interests_fd(&in, 99, POLLOUT);
	ck_assert_uint_eq(in.n, INTERESTS_MAX);
	ck_assert_int_eq(in.wake_ms, 0);
}
END_TEST

Suite *
answer_suite(void)
{
	Suite *s = suite_create("answer");
	TCase *t = tcase_create("interests");

	tcase_add_test(t, the_earliest_wake_wins);
	tcase_add_test(t, one_descriptor_too_many_makes_it_poll_at_once);
	suite_add_tcase(s, t);
	return s;
}
