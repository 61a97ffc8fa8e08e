#include "base/clock.h"

#include <check.h>
#include <time.h>

Suite *clock_suite(void);

START_TEST(a_pinned_clock_stands_still_until_it_is_released)
{
	int64_t now = (int64_t)time(NULL);

	clock_pin_us(1234567890123456);
	ck_assert_int_eq(clock_now_us(), 1234567890123456);
	ck_assert_int_eq(clock_now_s(), 1234567890);
	clock_pin_us(-1);
	ck_assert_int_ge(clock_now_s(), now);
	ck_assert_int_le(clock_now_s(), now + 60);
}
END_TEST

START_TEST(the_monotonic_clock_ignores_the_pin_and_never_goes_back)
{
	int64_t before = clock_monotonic_us(), ms = clock_monotonic_ms();
	int i;

	clock_pin_us(0);
	for (i = 0; i < 1000; i++) {
		int64_t now = clock_monotonic_us();

		ck_assert_int_ge(now, before);
		before = now;
	}
	clock_pin_us(-1);
	ck_assert_int_ge(clock_monotonic_ms(), ms);
	ck_assert_int_ge(clock_monotonic_us() / 1000, ms);
}
END_TEST

Suite *
clock_suite(void)
{
	Suite *s = suite_create("clock");
	TCase *t = tcase_create("clock");

	tcase_add_test(t, a_pinned_clock_stands_still_until_it_is_released);
	tcase_add_test(t,
	    the_monotonic_clock_ignores_the_pin_and_never_goes_back);
	suite_add_tcase(s, t);
	return s;
}
