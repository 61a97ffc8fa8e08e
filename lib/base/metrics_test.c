#include "base/metrics.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

Suite *metrics_suite(void);

static char path[64];

static void
setup(void)
{
	(void)snprintf(path, sizeof(path), "/tmp/parlance-metrics-XXXXXX");
	ck_assert_int_ge(mkstemp(path), 0);
}

static void
teardown(void)
{
	(void)unlink(path);
}

/* The value after a name with its labels; -1 when the page has no such. */
static double
value_of(const char *name)
{
	struct buf page = BUF_INIT(1 << 20);
	const char *at;
	double value = -1;

	metrics_write(&page);
	ck_assert_int_eq(buf_err(&page), ERR_NONE);
	for (at = buf_text(&page); (at = strstr(at, name)) != NULL; at++)
		if (at[strlen(name)] == ' ' && at[-1] == '\n') {
			value = strtod(at + strlen(name), NULL);
			break;
		}
	buf_release(&page);
	return value;
}

START_TEST(unopened_it_counts_nothing)
{
	struct buf page = BUF_INIT(100);

	metrics_add(METRICS_PROMPT_TOKENS, 1);
	metrics_stream(1);
	metrics_write(&page);
	ck_assert(!metrics_on());
	ck_assert_uint_eq(page.len, 0);
	ck_assert(!metrics_open("/nonexistent/metrics"));
}
END_TEST

START_TEST(counts_and_observes)
{
	ck_assert(metrics_open(path));
	metrics_add(METRICS_PROMPT_TOKENS, 40);
	metrics_add(METRICS_PROMPT_TOKENS, 2);
	metrics_request(METRICS_BOTAPI, 422);
	metrics_request(METRICS_BOTAPI, 422);
	metrics_request(METRICS_BOTAPI, 9999);
	metrics_observe_us(METRICS_TIME_STORE, 1000);
	metrics_observe_us(METRICS_TIME_STORE, 1001);
	metrics_observe_us(METRICS_TIME_STORE, 500000000);
	ck_assert_double_eq(value_of("parlance_tokens_total{kind=\"prompt\"}"),
	    42);
	ck_assert_double_eq(value_of("parlance_requests_total{api=\"botapi\","
				     "status=\"422\"}"), 2);
	ck_assert_double_eq(value_of("parlance_store_wait_seconds_bucket{le="
				     "\"0.001\"}"), 1);
	ck_assert_double_eq(value_of("parlance_store_wait_seconds_bucket{le="
				     "\"0.005\"}"), 2);
	ck_assert_double_eq(value_of("parlance_store_wait_seconds_bucket{le="
				     "\"+Inf\"}"), 3);
	ck_assert_double_eq_tol(value_of("parlance_store_wait_seconds_sum"),
	    500.002001, 1e-9);
}
END_TEST

START_TEST(processes_count_together_and_the_dead_hold_no_stream)
{
	int status;
	pid_t pid = fork();

	/* The child is killed with its stream open. */
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		if (!metrics_open(path))
			_exit(1);
		metrics_add(METRICS_ANSWER_TOKENS, 5);
		metrics_stream(1);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	ck_assert(metrics_open(path));
	ck_assert_double_eq(value_of(
	    "parlance_tokens_total{kind=\"completion\"}"), 5);
	ck_assert_double_eq(value_of("parlance_streams_open"), 0);
	metrics_stream(1);
	metrics_stream(1);
	ck_assert_double_eq(value_of("parlance_streams_open"), 2);
	metrics_stream(-1);
	ck_assert_double_eq(value_of("parlance_streams_open"), 1);
}
END_TEST

Suite *
metrics_suite(void)
{
	Suite *s = suite_create("metrics");
	TCase *t = tcase_create("metrics");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, unopened_it_counts_nothing);
	tcase_add_test(t, counts_and_observes);
	tcase_add_test(t,
	    processes_count_together_and_the_dead_hold_no_stream);
	suite_add_tcase(s, t);
	return s;
}
