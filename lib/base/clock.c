/* The one place that asks the kernel for the time. */
#include "base/clock.h"

#include <time.h>

static int64_t pinned_us = -1;

int64_t
clock_monotonic_us(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t
clock_monotonic_ms(void)
{
	return clock_monotonic_us() / 1000;
}

int64_t
clock_now_us(void)
{
	struct timespec t;

	if (pinned_us >= 0)
		return pinned_us;
	(void)clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t
clock_now_s(void)
{
	return clock_now_us() / 1000000;
}

void
clock_pin_us(int64_t us)
{
	pinned_us = us;
}
