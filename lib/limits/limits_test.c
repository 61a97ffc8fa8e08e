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
static struct bot_config bot;
static struct limits_verdict verdict;
static struct limits_reservation reservation;

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
	bot = (struct bot_config){.slug = "b", .uid = "u-1"};
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
reserve_from(const char *user, int64_t min, int64_t max)
{
	struct limits_ask ask = {.key = &key, .bot = &bot,
	    .user = span_of(user), .min_tokens = min,
	    .max_tokens = max, .run_limit_s = RUN_S};

	ck_assert_int_eq(db_begin(db), ERR_NONE);
	ck_assert_int_eq(limits_reserve(db, &ask, &reservation, &verdict),
	    ERR_NONE);
	if (verdict.refusal == LIMITS_ALLOWED)
		ck_assert_int_eq(db_commit(db), ERR_NONE);
	else
		db_rollback(db);
	if (verdict.refusal != LIMITS_ALLOWED)
		ck_assert_int_ge(verdict.retry_after_s, 1);
	return verdict.refusal;
}

static enum limits_refusal
reserve(const char *user, int64_t tokens)
{
	return reserve_from(user, tokens, tokens);
}

/* Whether it would be refused whatever it needs. */
static enum limits_refusal
look(const char *user)
{
	struct limits_ask ask = {.key = &key, .bot = &bot,
	    .user = span_of(user), .min_tokens = 1};
	struct limits_verdict v;

	ck_assert_int_eq(limits_check(db, &ask, &v), ERR_NONE);
	return v.refusal;
}

/* The first number of a query. */
static int64_t
number(const char *sql)
{
	struct db_stmt *s = db_prepare(db, sql);
	bool row;
	int64_t n;

	ck_assert_int_eq(db_step(s, &row), ERR_NONE);
	ck_assert(row);
	n = db_int(s, 0);
	db_done(s);
	return n;
}

static void
settle(struct limits_reservation t, int64_t tokens)
{
	ck_assert_int_eq(db_begin(db), ERR_NONE);
	ck_assert_int_eq(limits_settle(db, &t, tokens), ERR_NONE);
	ck_assert_int_eq(db_commit(db), ERR_NONE);
}

START_TEST(without_limits_nothing_is_reserved)
{
	ck_assert(!limits_any(&key, &bot));
	ck_assert(!limits_any(NULL, NULL));
	ck_assert_int_eq(reserve("u", 1000000), LIMITS_ALLOWED);
	ck_assert_int_eq(reservation.id, 0);
	settle(reservation, 5);
}
END_TEST

START_TEST(no_minute_has_more_requests)
{
	int i;

	key.requests_per_minute = 3;
	for (i = 0; i < 3; i++) {
		clock_pin_us(NOW_US + i * 10000000LL);
		ck_assert_int_eq(reserve("u", 1), LIMITS_ALLOWED);
	}
	ck_assert_int_eq(reserve("other", 1), LIMITS_REQUESTS);
	ck_assert_int_eq(verdict.retry_after_s, 40);
	clock_pin_us(NOW_US + 59999999);
	ck_assert_int_eq(reserve("u", 1), LIMITS_REQUESTS);
	ck_assert_int_eq(verdict.retry_after_s, 1);
	clock_pin_us(NOW_US + 60000000);
	ck_assert_int_eq(reserve("u", 1), LIMITS_ALLOWED);
	ck_assert_int_eq(reserve("u", 1), LIMITS_REQUESTS);
	ck_assert_int_eq(verdict.retry_after_s, 10);
}
END_TEST

START_TEST(a_clock_that_is_set_back_shuts_nobody_out)
{
	key.requests_per_minute = 1;
	ck_assert_int_eq(reserve("u", 1), LIMITS_ALLOWED);
	clock_pin_us(NOW_US - 3600 * 1000000LL);
	ck_assert_int_eq(reserve("u", 1), LIMITS_ALLOWED);
	ck_assert_int_eq(reserve("u", 1), LIMITS_REQUESTS);
	ck_assert_int_eq(verdict.retry_after_s, 60);
	/* What was counted in the future does not wait for it there. */
	clock_pin_us(NOW_US + 1000000);
	ck_assert_int_eq(reserve("u", 1), LIMITS_ALLOWED);
}
END_TEST

START_TEST(each_user_has_a_minute_of_their_own)
{
	key.user_requests_per_minute = 1;
	ck_assert_int_eq(reserve("a", 1), LIMITS_ALLOWED);
	ck_assert_int_eq(reserve("a", 1), LIMITS_REQUESTS);
	ck_assert_int_eq(reserve("b", 1), LIMITS_ALLOWED);
	ck_assert_int_eq(reserve("", 1), LIMITS_ALLOWED);
	ck_assert_int_eq(reserve("", 1), LIMITS_REQUESTS);
	key.name = "another";
	ck_assert_int_eq(reserve("a", 1), LIMITS_ALLOWED);
}
END_TEST

START_TEST(turns_at_once)
{
	struct limits_reservation first;

	key.concurrent = 2;
	ck_assert_int_eq(reserve("u", 1), LIMITS_ALLOWED);
	first = reservation;
	ck_assert_int_eq(reserve("u", 1), LIMITS_ALLOWED);
	ck_assert_int_eq(reserve("u", 1), LIMITS_CONCURRENT);
	settle(first, 10);
	ck_assert_int_eq(reserve("u", 1), LIMITS_ALLOWED);
	/* Settled again, it gives no further room. */
	settle(first, 10);
	ck_assert_int_eq(reserve("u", 1), LIMITS_CONCURRENT);
}
END_TEST

START_TEST(tokens_of_a_day)
{
	struct limits_reservation first;

	key.tokens_per_day = 100;
	ck_assert_int_eq(reserve("u", 101), LIMITS_SIZE);
	ck_assert_int_eq(verdict.retry_after_s, LEFT_OF_DAY_S);
	ck_assert_int_eq(reserve("u", 60), LIMITS_ALLOWED);
	first = reservation;
	/* Room may come back when that turn has ended. */
	ck_assert_int_eq(reserve("u", 41), LIMITS_TOKENS);
	ck_assert_int_eq(verdict.retry_after_s, 2);
	ck_assert_int_eq(reserve("u", 40), LIMITS_ALLOWED);
	settle(reservation, 40);
	settle(first, 10);
	settle(first, 10);
	ck_assert_int_eq(reserve("u", 51), LIMITS_TOKENS);
	ck_assert_int_eq(verdict.retry_after_s, LEFT_OF_DAY_S);
	ck_assert_int_eq(reserve("u", 50), LIMITS_ALLOWED);
	settle(reservation, 50);
	clock_pin_us(NOW_US + LEFT_OF_DAY_S * 1000000LL);
	ck_assert_int_eq(reserve("u", 100), LIMITS_ALLOWED);
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
		_exit(reserve("u", 70) == LIMITS_ALLOWED ? 0 : 1);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	pool = store_pool_new(&config, 1);
	ck_assert_int_eq(store_lease(pool, &db), ERR_NONE);
	ck_assert_int_eq(reserve("u", 31), LIMITS_TOKENS);
	ck_assert_int_eq(reserve("u", 30), LIMITS_ALLOWED);
	settle(reservation, 30);
	ck_assert_int_eq(reserve("u", 1), LIMITS_TOKENS);
	ck_assert_int_eq(verdict.retry_after_s, LEFT_OF_DAY_S);
}
END_TEST

START_TEST(a_turn_gets_what_is_left_of_a_day_if_that_is_worth_it)
{
	struct limits_reservation first;

	key.tokens_per_day = 100;
	key.user_tokens_per_day = 80;
	ck_assert_int_eq(reserve_from("u", 10, 60), LIMITS_ALLOWED);
	ck_assert_int_eq(reservation.tokens, 60);
	first = reservation;
	/* 20 of the user's are free, but more may come back. */
	ck_assert_int_eq(reserve_from("u", 10, 60), LIMITS_TOKENS);
	ck_assert_int_eq(verdict.retry_after_s, 2);
	settle(first, 50);
	ck_assert_int_eq(reserve_from("u", 10, 60), LIMITS_ALLOWED);
	ck_assert_int_eq(reservation.tokens, 30);
	settle(reservation, 25);
	/* Five of the user's are left, 25 of the key's. */
	ck_assert_int_eq(reserve_from("u", 6, 60), LIMITS_TOKENS);
	ck_assert_int_eq(verdict.retry_after_s, LEFT_OF_DAY_S);
	ck_assert_int_eq(reserve_from("v", 6, 60), LIMITS_ALLOWED);
	ck_assert_int_eq(reservation.tokens, 25);
	settle(reservation, 25);
	ck_assert_int_eq(reserve_from("v", 1, 60), LIMITS_TOKENS);
	ck_assert_int_eq(look("v"), LIMITS_TOKENS);
}
END_TEST

START_TEST(a_turn_counts_for_the_day_it_began_on)
{
	struct limits_reservation first, second;

	key.tokens_per_day = 100;
	key.concurrent = 2;
	clock_pin_us(NOW_US + (LEFT_OF_DAY_S - 5) * 1000000LL);
	ck_assert_int_eq(reserve("u", 90), LIMITS_ALLOWED);
	first = reservation;
	clock_pin_us(NOW_US + LEFT_OF_DAY_S * 1000000LL);
	/* All of the new day is free, but one place is taken. */
	ck_assert_int_eq(reserve("u", 100), LIMITS_ALLOWED);
	second = reservation;
	ck_assert_int_eq(reserve("u", 0), LIMITS_CONCURRENT);
	settle(first, 90);
	settle(second, 100);
	ck_assert_int_eq(number("SELECT tokens FROM limit_tokens WHERE"
				" subject = 'k:k' ORDER BY day"), 90);
	ck_assert_int_eq(number("SELECT tokens FROM limit_tokens WHERE"
				" subject = 'k:k' ORDER BY day DESC"), 100);
	/* Set back over midnight: that day's sum holds. */
	clock_pin_us(NOW_US);
	ck_assert_int_eq(reserve("u", 11), LIMITS_TOKENS);
	ck_assert_int_eq(reserve("u", 10), LIMITS_ALLOWED);
}
END_TEST

START_TEST(a_bot_runs_so_many_whoever_asks)
{
	struct key_config other = {.name = "other", .concurrent = 5};
	struct limits_reservation first;

	bot.concurrent = 2;
	ck_assert(limits_any(&key, &bot));
	ck_assert(!limits_any(&key, NULL));
	ck_assert_int_eq(reserve("u", 0), LIMITS_ALLOWED);
	ck_assert_int_eq(reservation.tokens, 0);
	first = reservation;
	key = other;
	ck_assert_int_eq(look("v"), LIMITS_ALLOWED);
	ck_assert_int_eq(reserve("v", 0), LIMITS_ALLOWED);
	ck_assert_int_eq(reserve("v", 0), LIMITS_BOT);
	ck_assert_int_eq(verdict.retry_after_s, 1);
	ck_assert_int_eq(look("v"), LIMITS_BOT);
	settle(first, 0);
	ck_assert_int_eq(look("v"), LIMITS_ALLOWED);
	ck_assert_int_eq(reserve("v", 0), LIMITS_ALLOWED);
	bot.uid = "u-2";
	ck_assert_int_eq(reserve("v", 0), LIMITS_ALLOWED);
}
END_TEST

/* Another container's process: nobody here can see whether it lives. */
START_TEST(who_cannot_be_seen_is_believed_for_a_minute)
{
	key.concurrent = 1;
	ck_assert_int_eq(reserve("u", 1), LIMITS_ALLOWED);
	ck_assert_int_eq(db_exec(db, "UPDATE limit_reservations SET owner ="
				     " 'elsewhere - - 1 1'"), ERR_NONE);
	clock_pin_us(NOW_US + 50 * 1000000LL);
	ck_assert_int_eq(limits_heartbeat(db, &reservation), ERR_NONE);
	clock_pin_us(NOW_US + 100 * 1000000LL);
	ck_assert_int_eq(reserve("u", 1), LIMITS_CONCURRENT);
	ck_assert_int_eq(look("u"), LIMITS_CONCURRENT);
	clock_pin_us(NOW_US + 111 * 1000000LL);
	ck_assert_int_eq(look("u"), LIMITS_ALLOWED);
	ck_assert_int_eq(reserve("u", 1), LIMITS_ALLOWED);
}
END_TEST

START_TEST(what_is_over_its_time_is_settled_whosever_it_is)
{
	key.user_concurrent = 1;
	ck_assert_int_eq(reserve("gone", 7), LIMITS_ALLOWED);
	clock_pin_us(NOW_US + (RUN_S + 61) * 1000000LL);
	ck_assert_int_eq(reserve("u", 1), LIMITS_ALLOWED);
	ck_assert_int_eq(number("SELECT count(*) FROM limit_reservations"), 1);
	ck_assert_int_eq(number("SELECT tokens FROM limit_tokens WHERE"
				" subject = 'k:k'"), 7);
}
END_TEST

START_TEST(requests_alone_reserve_nothing)
{
	key.requests_per_minute = 5;
	ck_assert_int_eq(reserve("u", 7), LIMITS_ALLOWED);
	ck_assert_int_eq(reservation.id, 0);
	ck_assert_int_eq(number("SELECT count(*) FROM limit_reservations"), 0);
	ck_assert_int_eq(number("SELECT count(*) FROM limit_requests"), 1);
}
END_TEST

START_TEST(a_reservation_expires)
{
	key.concurrent = 1;
	ck_assert_int_eq(reserve("u", 1), LIMITS_ALLOWED);
	clock_pin_us(NOW_US + (RUN_S + 59) * 1000000LL);
	ck_assert_int_eq(reserve("u", 1), LIMITS_CONCURRENT);
	clock_pin_us(NOW_US + (RUN_S + 61) * 1000000LL);
	ck_assert_int_eq(reserve("u", 1), LIMITS_ALLOWED);
}
END_TEST

START_TEST(a_refused_turn_leaves_nothing)
{
	key.requests_per_minute = 2;
	key.user_concurrent = 1;
	ck_assert_int_eq(reserve("u", 1), LIMITS_ALLOWED);
	ck_assert_int_eq(reserve("u", 1), LIMITS_CONCURRENT);
	ck_assert_int_eq(reserve("u", 1), LIMITS_CONCURRENT);
	ck_assert_int_eq(reserve("v", 1), LIMITS_ALLOWED);
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
	tcase_add_test(t,
	    a_turn_gets_what_is_left_of_a_day_if_that_is_worth_it);
	tcase_add_test(t, a_turn_counts_for_the_day_it_began_on);
	tcase_add_test(t, a_bot_runs_so_many_whoever_asks);
	tcase_add_test(t, who_cannot_be_seen_is_believed_for_a_minute);
	tcase_add_test(t, what_is_over_its_time_is_settled_whosever_it_is);
	tcase_add_test(t, requests_alone_reserve_nothing);
	tcase_add_test(t, a_reservation_expires);
	tcase_add_test(t, a_refused_turn_leaves_nothing);
	suite_add_tcase(s, t);
	return s;
}
