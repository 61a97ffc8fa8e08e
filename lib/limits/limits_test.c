#include "limits/limits.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/store.h"

Suite *limits_suite(void);

#define NOW_US 1700000000000000LL /* 22:13:20 UTC */
#define LEFT_OF_DAY_S 6400
#define RUN_S 1200

static char folder[64];
static struct config config;
static struct store_pool *pool;
static struct db *db;
static struct key_config key;
static struct limits_verdict verdict;
static struct limits_ticket ticket;

static void
setup(void)
{
	(void)snprintf(folder, sizeof(folder), "/tmp/parlance-limits-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	memset(&config, 0, sizeof(config));
	config.server.state = folder;
	config.server.busy_timeout_ms = 5000;
	pool = store_pool_new(&config, 1);
	ck_assert_int_eq(store_lease(pool, &db), ERR_NONE);
	key = (struct key_config){.name = "k"};
	clock_pin_us(NOW_US);
}

static void
teardown(void)
{
	char command[128];

	store_return(pool, db);
	store_pool_free(pool);
	clock_pin_us(-1);
	(void)snprintf(command, sizeof(command), "rm -rf %s", folder);
	ck_assert_int_eq(system(command), 0);
}

static enum limits_refusal
reserve(const char *user, int64_t tokens)
{
	ck_assert_int_eq(db_begin(db), ERR_NONE);
	ck_assert_int_eq(limits_reserve(db, &key, span_of(user), tokens,
	    RUN_S, &ticket, &verdict), ERR_NONE);
	if (verdict.refusal == LIMITS_FREE)
		ck_assert_int_eq(db_commit(db), ERR_NONE);
	else
		db_rollback(db);
	if (verdict.refusal != LIMITS_FREE)
		ck_assert_int_ge(verdict.retry_after_s, 1);
	return verdict.refusal;
}

static void
settle(struct limits_ticket t, int64_t tokens)
{
	ck_assert_int_eq(db_begin(db), ERR_NONE);
	ck_assert_int_eq(limits_settle(db, &t, tokens), ERR_NONE);
	ck_assert_int_eq(db_commit(db), ERR_NONE);
}

START_TEST(without_limits_nothing_is_reserved)
{
	ck_assert(!limits_any(&key));
	ck_assert_int_eq(reserve("u", 1000000), LIMITS_FREE);
	ck_assert_int_eq(ticket.id, 0);
	settle(ticket, 5);
}
END_TEST

START_TEST(no_minute_has_more_requests)
{
	int i;

	key.requests_per_minute = 3;
	for (i = 0; i < 3; i++) {
		clock_pin_us(NOW_US + i * 10000000LL);
		ck_assert_int_eq(reserve("u", 1), LIMITS_FREE);
	}
	ck_assert_int_eq(reserve("other", 1), LIMITS_REQUESTS);
	ck_assert_int_eq(verdict.retry_after_s, 40);
	clock_pin_us(NOW_US + 59999999);
	ck_assert_int_eq(reserve("u", 1), LIMITS_REQUESTS);
	ck_assert_int_eq(verdict.retry_after_s, 1);
	clock_pin_us(NOW_US + 60000000);
	ck_assert_int_eq(reserve("u", 1), LIMITS_FREE);
	ck_assert_int_eq(reserve("u", 1), LIMITS_REQUESTS);
	ck_assert_int_eq(verdict.retry_after_s, 10);
}
END_TEST

START_TEST(a_clock_that_is_set_back_shuts_nobody_out)
{
	key.requests_per_minute = 1;
	ck_assert_int_eq(reserve("u", 1), LIMITS_FREE);
	clock_pin_us(NOW_US - 3600 * 1000000LL);
	ck_assert_int_eq(reserve("u", 1), LIMITS_FREE);
	ck_assert_int_eq(reserve("u", 1), LIMITS_REQUESTS);
	ck_assert_int_eq(verdict.retry_after_s, 60);
	/* What was counted in the future does not wait for it there. */
	clock_pin_us(NOW_US + 1000000);
	ck_assert_int_eq(reserve("u", 1), LIMITS_FREE);
}
END_TEST

START_TEST(each_user_has_a_minute_of_their_own)
{
	key.user_requests_per_minute = 1;
	ck_assert_int_eq(reserve("a", 1), LIMITS_FREE);
	ck_assert_int_eq(reserve("a", 1), LIMITS_REQUESTS);
	ck_assert_int_eq(reserve("b", 1), LIMITS_FREE);
	ck_assert_int_eq(reserve("", 1), LIMITS_FREE);
	ck_assert_int_eq(reserve("", 1), LIMITS_REQUESTS);
	key.name = "another";
	ck_assert_int_eq(reserve("a", 1), LIMITS_FREE);
}
END_TEST

START_TEST(turns_at_once)
{
	struct limits_ticket first;

	key.concurrent = 2;
	ck_assert_int_eq(reserve("u", 1), LIMITS_FREE);
	first = ticket;
	ck_assert_int_eq(reserve("u", 1), LIMITS_FREE);
	ck_assert_int_eq(reserve("u", 1), LIMITS_CONCURRENT);
	settle(first, 10);
	ck_assert_int_eq(reserve("u", 1), LIMITS_FREE);
	/* Settled again, it gives no further room. */
	settle(first, 10);
	ck_assert_int_eq(reserve("u", 1), LIMITS_CONCURRENT);
}
END_TEST

START_TEST(tokens_of_a_day)
{
	struct limits_ticket first;

	key.tokens_per_day = 100;
	ck_assert_int_eq(reserve("u", 101), LIMITS_TOKENS);
	ck_assert_int_eq(verdict.retry_after_s, LEFT_OF_DAY_S);
	ck_assert_int_eq(reserve("u", 60), LIMITS_FREE);
	first = ticket;
	/* Room may come back when that turn has ended. */
	ck_assert_int_eq(reserve("u", 41), LIMITS_TOKENS);
	ck_assert_int_eq(verdict.retry_after_s, 2);
	ck_assert_int_eq(reserve("u", 40), LIMITS_FREE);
	settle(ticket, 40);
	settle(first, 10);
	settle(first, 10);
	ck_assert_int_eq(reserve("u", 51), LIMITS_TOKENS);
	ck_assert_int_eq(verdict.retry_after_s, LEFT_OF_DAY_S);
	ck_assert_int_eq(reserve("u", 50), LIMITS_FREE);
	settle(ticket, 50);
	clock_pin_us(NOW_US + LEFT_OF_DAY_S * 1000000LL);
	ck_assert_int_eq(reserve("u", 100), LIMITS_FREE);
}
END_TEST

START_TEST(what_a_killed_process_reserved_counts_as_used)
{
	pid_t pid;
	int status;

	key.concurrent = 1;
	key.tokens_per_day = 100;
	/* A child reserves and is gone; it has its own connection. */
	store_return(pool, db);
	store_pool_free(pool);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		pool = store_pool_new(&config, 1);
		if (store_lease(pool, &db) != ERR_NONE)
			_exit(1);
		_exit(reserve("u", 70) == LIMITS_FREE ? 0 : 1);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	pool = store_pool_new(&config, 1);
	ck_assert_int_eq(store_lease(pool, &db), ERR_NONE);
	ck_assert_int_eq(reserve("u", 31), LIMITS_TOKENS);
	ck_assert_int_eq(reserve("u", 30), LIMITS_FREE);
	settle(ticket, 30);
	ck_assert_int_eq(reserve("u", 1), LIMITS_TOKENS);
	ck_assert_int_eq(verdict.retry_after_s, LEFT_OF_DAY_S);
}
END_TEST

START_TEST(a_reservation_expires)
{
	key.concurrent = 1;
	ck_assert_int_eq(reserve("u", 1), LIMITS_FREE);
	clock_pin_us(NOW_US + (RUN_S + 59) * 1000000LL);
	ck_assert_int_eq(reserve("u", 1), LIMITS_CONCURRENT);
	clock_pin_us(NOW_US + (RUN_S + 61) * 1000000LL);
	ck_assert_int_eq(reserve("u", 1), LIMITS_FREE);
}
END_TEST

START_TEST(a_refused_turn_leaves_nothing)
{
	key.requests_per_minute = 2;
	key.user_concurrent = 1;
	ck_assert_int_eq(reserve("u", 1), LIMITS_FREE);
	ck_assert_int_eq(reserve("u", 1), LIMITS_CONCURRENT);
	ck_assert_int_eq(reserve("u", 1), LIMITS_CONCURRENT);
	ck_assert_int_eq(reserve("v", 1), LIMITS_FREE);
	ck_assert_int_eq(reserve("w", 1), LIMITS_REQUESTS);
}
END_TEST

Suite *
limits_suite(void)
{
	Suite *s = suite_create("limits");
	TCase *t = tcase_create("limits");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, without_limits_nothing_is_reserved);
	tcase_add_test(t, no_minute_has_more_requests);
	tcase_add_test(t, a_clock_that_is_set_back_shuts_nobody_out);
	tcase_add_test(t, each_user_has_a_minute_of_their_own);
	tcase_add_test(t, turns_at_once);
	tcase_add_test(t, tokens_of_a_day);
	tcase_add_test(t, what_a_killed_process_reserved_counts_as_used);
	tcase_add_test(t, a_reservation_expires);
	tcase_add_test(t, a_refused_turn_leaves_nothing);
	suite_add_tcase(s, t);
	return s;
}
