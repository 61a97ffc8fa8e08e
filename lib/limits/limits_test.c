#include "limits/limits.h"

#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/process.h"
#include "store/migrations.h"
#include "store/store.h"

Suite *limits_suite(void);

#define NOW_US 1700000000000000LL /* 22:13:20 UTC */
#define LEFT_OF_DAY_S 6400
#define HOUR_LEFT_S 2800
#define RUN_S 1200
#define HOUR_US 3600000000LL

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

/* The first number of a query; -1: there is none. */
static int64_t
number_of(struct db *from, const char *sql)
{
	struct db_stmt *s = db_prepare(from, sql);
	bool row;
	int64_t n = -1;

	if (db_step(s, &row) == ERR_NONE && row)
		n = db_int(s, 0);
	db_done(s);
	return n;
}

static int64_t
number(const char *sql)
{
	int64_t n = number_of(db, sql);

	ck_assert_int_ge(n, 0);
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
	ck_assert(!limits_any(&(struct limits_ask){.key = &key,
	    .bot = &bot}));
	ck_assert(!limits_any(&(struct limits_ask){.key = NULL}));
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
				" subject = 'key:k' ORDER BY day"), 90);
	ck_assert_int_eq(number("SELECT tokens FROM limit_tokens WHERE"
				" subject = 'key:k' ORDER BY day DESC"), 100);
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
	ck_assert(limits_any(&(struct limits_ask){.key = &key,
	    .bot = &bot}));
	ck_assert(!limits_any(&(struct limits_ask){.key = &key}));
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

static void
own_by(const char *owner)
{
	struct db_stmt *s = db_prepare(db, "UPDATE limit_holds SET owner = ?");

	db_bind_cstring(s, 1, owner);
	ck_assert_int_eq(db_run(s), ERR_NONE);
}

/* Of this host, and of no process that there is. */
static void
own_by_dead(void)
{
	char owner[512];

	(void)snprintf(owner, sizeof(owner), "%s0", process_self());
	own_by(owner);
}

/* Another container's process: nobody here can look whether it lives. */
START_TEST(who_cannot_be_seen_is_dead_when_it_was_found_so)
{
	key.concurrent = 1;
	ck_assert_int_eq(reserve("u", 1), LIMITS_ALLOWED);
	own_by("elsewhere - - 1 1");
	clock_pin_us(NOW_US + 24 * HOUR_US);
	ck_assert_int_eq(reserve("u", 1), LIMITS_CONCURRENT);
	ck_assert_int_eq(look("u"), LIMITS_CONCURRENT);
	ck_assert_int_eq(db_exec(db, "INSERT INTO processes (name, heartbeats,"
	    " dead) VALUES ('elsewhere - - 1 1', 1, 1)"), ERR_NONE);
	ck_assert_int_eq(look("u"), LIMITS_ALLOWED);
	ck_assert_int_eq(reserve("u", 1), LIMITS_ALLOWED);
}
END_TEST

START_TEST(what_the_dead_held_is_settled_whosever_it_is)
{
	key.user_concurrent = 1;
	ck_assert_int_eq(reserve("gone", 7), LIMITS_ALLOWED);
	own_by_dead();
	clock_pin_us(NOW_US + (RUN_S + 61) * 1000000LL);
	ck_assert_int_eq(reserve("u", 1), LIMITS_ALLOWED);
	ck_assert_int_eq(number("SELECT count(DISTINCT id) FROM"
				" limit_holds"), 1);
	ck_assert_int_eq(number("SELECT tokens FROM limit_tokens WHERE"
				" subject = 'key:k'"), 7);
}
END_TEST

START_TEST(requests_alone_reserve_nothing)
{
	key.requests_per_minute = 5;
	ck_assert_int_eq(reserve("u", 7), LIMITS_ALLOWED);
	ck_assert_int_eq(reservation.id, 0);
	ck_assert_int_eq(number("SELECT count(*) FROM limit_holds"), 0);
	ck_assert_int_eq(number("SELECT count(*) FROM limit_requests"), 1);
}
END_TEST

START_TEST(a_clock_that_jumps_frees_nothing)
{
	key.concurrent = 1;
	ck_assert_int_eq(reserve("u", 1), LIMITS_ALLOWED);
	clock_pin_us(NOW_US + 24 * HOUR_US);
	ck_assert_int_eq(look("u"), LIMITS_CONCURRENT);
	ck_assert_int_eq(reserve("u", 1), LIMITS_CONCURRENT);
	clock_pin_us(NOW_US - 24 * HOUR_US);
	ck_assert_int_eq(reserve("u", 1), LIMITS_CONCURRENT);
	clock_pin_us(NOW_US);
	own_by_dead();
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

/* ---- any list of subjects ----------------------------------------------- */

static struct limits_subject others[3];

/* A visitor, an address, a site, as a view has them. */
static void
set_others(void)
{
	others[0] = (struct limits_subject){.name = "visitor:v",
	    .requests = {[LIMITS_MINUTE] = 3}, .streams = 1};
	others[1] = (struct limits_subject){.name = "address:a",
	    .requests = {[LIMITS_HOUR] = 4}};
	others[2] = (struct limits_subject){.name = "site:s",
	    .requests = {[LIMITS_DAY] = 6}, .tokens_per_day = 100,
	    .streams = 2};
}

static enum limits_refusal
reserve_others(int64_t tokens)
{
	struct limits_ask ask = {.others = others, .n_others = 3,
	    .min_tokens = tokens, .max_tokens = tokens,
	    .run_limit_s = RUN_S};

	ck_assert_int_eq(db_begin(db), ERR_NONE);
	ck_assert_int_eq(limits_reserve(db, &ask, &reservation, &verdict),
	    ERR_NONE);
	ck_assert_int_eq(db_commit(db), ERR_NONE);
	ck_assert((verdict.refusal == LIMITS_ALLOWED) ==
	    (verdict.subject == NULL));
	return verdict.refusal;
}

START_TEST(each_of_a_list_has_its_own_windows)
{
	int i;

	set_others();
	for (i = 0; i < 3; i++) {
		ck_assert_int_eq(reserve_others(1), LIMITS_ALLOWED);
		settle(reservation, 1);
	}
	ck_assert_int_eq(reserve_others(1), LIMITS_REQUESTS);
	ck_assert_ptr_eq(verdict.subject, &others[0]);
	ck_assert_int_eq(verdict.retry_after_s, 60);
	clock_pin_us(NOW_US + 60 * 1000000LL);
	ck_assert_int_eq(reserve_others(1), LIMITS_ALLOWED);
	settle(reservation, 1);
	/* The address, until its hour is over, whoever the visitor is. */
	others[0].name = "visitor:w";
	ck_assert_int_eq(reserve_others(1), LIMITS_REQUESTS);
	ck_assert_ptr_eq(verdict.subject, &others[1]);
	ck_assert_int_eq(verdict.retry_after_s, HOUR_LEFT_S - 60);
	/* Another address; then the site's day is over. */
	others[1].name = "address:b";
	for (i = 0; i < 2; i++) {
		ck_assert_int_eq(reserve_others(1), LIMITS_ALLOWED);
		settle(reservation, 1);
	}
	ck_assert_int_eq(reserve_others(1), LIMITS_REQUESTS);
	ck_assert_ptr_eq(verdict.subject, &others[2]);
	ck_assert_int_eq(verdict.retry_after_s, LEFT_OF_DAY_S - 60);
	clock_pin_us(NOW_US + LEFT_OF_DAY_S * 1000000LL);
	ck_assert_int_eq(reserve_others(1), LIMITS_ALLOWED);
}
END_TEST

START_TEST(all_of_a_list_or_none)
{
	struct limits_reservation second;

	set_others();
	ck_assert_int_eq(reserve_others(60), LIMITS_ALLOWED);
	ck_assert_int_eq(reservation.tokens, 60);
	ck_assert_int_eq(number("SELECT count(*) FROM limit_holds"), 2);
	ck_assert_int_eq(reserve_others(10), LIMITS_CONCURRENT);
	ck_assert_ptr_eq(verdict.subject, &others[0]);
	others[0].name = "visitor:w";
	ck_assert_int_eq(reserve_others(41), LIMITS_TOKENS);
	ck_assert_ptr_eq(verdict.subject, &others[2]);
	ck_assert_int_eq(verdict.retry_after_s, 2);
	ck_assert_int_eq(reserve_others(101), LIMITS_SIZE);
	/* What was refused counts nowhere. */
	ck_assert_int_eq(number("SELECT sum(requests) FROM limit_counts"
				" WHERE subject = 'address:a'"), 1);
	ck_assert_int_eq(number("SELECT sum(requests) FROM limit_counts"
				" WHERE subject = 'site:s'"), 1);
	ck_assert_int_eq(number("SELECT count(*) FROM limit_requests"), 1);
	ck_assert_int_eq(reserve_others(40), LIMITS_ALLOWED);
	second = reservation;
	others[0].name = "visitor:x";
	ck_assert_int_eq(reserve_others(0), LIMITS_CONCURRENT);
	ck_assert_ptr_eq(verdict.subject, &others[2]);
	settle(second, 5);
	ck_assert_int_eq(reserve_others(35), LIMITS_ALLOWED);
	ck_assert_int_eq(number("SELECT tokens FROM limit_tokens WHERE"
				" subject = 'site:s'"), 5);
}
END_TEST

/* A list may stand beside a key and a bot; a settled one is settled once. */
START_TEST(a_list_and_a_key_and_a_bot)
{
	struct limits_ask ask = {.key = &key, .bot = &bot,
	    .user = span_of("u"), .others = others, .n_others = 3,
	    .min_tokens = 10, .max_tokens = 20, .run_limit_s = RUN_S};

	set_others();
	key.tokens_per_day = 15;
	bot.concurrent = 1;
	ck_assert_int_eq(db_begin(db), ERR_NONE);
	ck_assert_int_eq(limits_reserve(db, &ask, &reservation, &verdict),
	    ERR_NONE);
	ck_assert_int_eq(db_commit(db), ERR_NONE);
	ck_assert_int_eq(verdict.refusal, LIMITS_ALLOWED);
	ck_assert_int_eq(reservation.tokens, 15);
	ck_assert_int_eq(number("SELECT count(*) FROM limit_holds"), 5);
	ck_assert_int_eq(limits_check(db, &ask, &verdict), ERR_NONE);
	ck_assert_int_eq(verdict.refusal, LIMITS_BOT);
	ck_assert_ptr_null(verdict.subject);
	settle(reservation, 12);
	settle(reservation, 12);
	ck_assert_int_eq(number("SELECT count(*) FROM limit_holds"), 0);
	ck_assert_int_eq(number("SELECT count(*) FROM limit_tokens WHERE"
				" tokens = 12"), 5);
}
END_TEST

#define CROWD_PROCESSES 3
#define CROWD_CLIENTS 22  /* of each process, a thread each */
#define CROWD_DAY 150     /* turns that the site has */
#define CROWD_STREAMS 4

struct crowd {
	struct store_pool *pool;
	int granted, wrong;
	pthread_mutex_t lock;
};

/* One turn; false when the day is over. */
static bool
crowd_turn(struct crowd *c, const struct limits_ask *ask)
{
	struct limits_reservation mine;
	struct limits_verdict v;
	struct db *own;
	int64_t running;
	bool wrong;

	wrong = store_lease(c->pool, &own) != ERR_NONE ||
	    db_begin(own) != ERR_NONE ||
	    limits_reserve(own, ask, &mine, &v) != ERR_NONE;
	running = wrong ? 0 : number_of(own, "SELECT count(*) FROM"
	    " limit_holds WHERE subject = 'site:s'");
	wrong = wrong || running > CROWD_STREAMS ||
	    db_commit(own) != ERR_NONE;
	if (!wrong && v.refusal == LIMITS_ALLOWED)
		wrong = db_begin(own) != ERR_NONE ||
		    limits_settle(own, &mine, 1) != ERR_NONE ||
		    db_commit(own) != ERR_NONE;
	store_return(c->pool, own);
	(void)pthread_mutex_lock(&c->lock);
	c->granted += !wrong && v.refusal == LIMITS_ALLOWED;
	c->wrong += wrong;
	(void)pthread_mutex_unlock(&c->lock);
	return !wrong && v.refusal != LIMITS_REQUESTS;
}

static void *
crowd_client(void *arg)
{
	struct crowd *c = arg;
	struct limits_subject mine[3];
	struct limits_ask ask = {.others = mine, .n_others = 3,
	    .min_tokens = 1, .max_tokens = 1, .run_limit_s = RUN_S};
	char visitor[64];

	(void)snprintf(visitor, sizeof(visitor), "visitor:%d:%lx",
	    (int)getpid(), (unsigned long)pthread_self());
	memcpy(mine, others, sizeof(mine));
	mine[0].name = visitor;
	while (crowd_turn(c, &ask))
		continue;
	return NULL;
}

/* A process of clients; how many turns it was granted. */
static int
crowd_process(void)
{
	struct crowd c = {.pool = store_pool_new(&config, 8),
	    .lock = PTHREAD_MUTEX_INITIALIZER};
	pthread_t threads[CROWD_CLIENTS];
	size_t i;

	for (i = 0; i < CROWD_CLIENTS; i++)
		if (pthread_create(&threads[i], NULL, crowd_client, &c) != 0)
			return -1;
	for (i = 0; i < CROWD_CLIENTS; i++)
		(void)pthread_join(threads[i], NULL);
	store_pool_free(c.pool);
	return c.wrong > 0 ? -1 : c.granted;
}

START_TEST(a_crowd_over_processes_gets_exactly_the_cap)
{
	int results[2], granted, sum = 0, i;

	set_others();
	others[0].requests[LIMITS_MINUTE] = 1000;
	others[1].requests[LIMITS_HOUR] = 10000;
	others[2].requests[LIMITS_DAY] = CROWD_DAY;
	others[2].tokens_per_day = 1000;
	others[2].streams = CROWD_STREAMS;
	config.server.busy_timeout_ms = 50000;
	ck_assert_int_eq(pipe(results), 0);
	for (i = 0; i < CROWD_PROCESSES; i++) {
		if (fork() != 0)
			continue;
		granted = crowd_process();
		_exit(write(results[1], &granted, sizeof(granted)) !=
		    (ssize_t)sizeof(granted));
	}
	for (i = 0; i < CROWD_PROCESSES; i++) {
		ck_assert_int_eq(read(results[0], &granted, sizeof(granted)),
		    (int)sizeof(granted));
		ck_assert_int_ge(granted, 0);
		sum += granted;
	}
	while (wait(NULL) > 0)
		continue;
	ck_assert_int_eq(sum, CROWD_DAY);
	ck_assert_int_eq(number("SELECT requests FROM limit_counts WHERE"
				" subject = 'site:s'"), CROWD_DAY);
	ck_assert_int_eq(number("SELECT requests FROM limit_counts WHERE"
				" subject = 'address:a'"), CROWD_DAY);
	ck_assert_int_eq(number("SELECT tokens FROM limit_tokens WHERE"
				" subject = 'site:s'"), CROWD_DAY);
	ck_assert_int_eq(number("SELECT count(*) FROM limit_holds"), 0);
}
END_TEST

/* Addresses are kept for a day, also those that do not come back. */
START_TEST(old_windows_are_forgotten)
{
	set_others();
	ck_assert_int_eq(reserve_others(1), LIMITS_ALLOWED);
	settle(reservation, 1);
	clock_pin_us(NOW_US + 25 * HOUR_US);
	others[1].name = "address:b";
	ck_assert_int_eq(reserve_others(1), LIMITS_ALLOWED);
	ck_assert_int_eq(number("SELECT count(*) FROM limit_counts WHERE"
				" subject = 'address:a'"), 0);
}
END_TEST

START_TEST(a_subject_without_a_transaction_is_no_subject)
{
	struct limits_ask ask = {.others = others, .n_others = 3};

	set_others();
	ck_assert_int_eq(limits_reserve(db, &ask, &reservation, &verdict),
	    ERR_STORE);
}
END_TEST

/* The version before had one row for key, user and bot. */
START_TEST(what_an_older_version_held_is_held)
{
	int i;

	for (i = 0; i < migrations_count && strstr(migrations[i].name,
	    "limits_of_subjects") == NULL; i++)
		continue;
	ck_assert_int_lt(i, migrations_count);
	ck_assert_int_eq(db_exec(db,
	    "DROP TABLE limit_holds; DROP TABLE limit_counts;"
	    "INSERT INTO limit_tokens VALUES (19675, 'k:k', 30);"
	    "INSERT INTO limit_tokens VALUES (19675, 'u:k:x', 20);"
	    "INSERT INTO limit_requests VALUES ('k:k', 1699999999000000);"
	    "INSERT INTO limit_reservations (id, key_subject, user_subject,"
	    " bot_subject, day, tokens, owner, expires_us, alive_until_us)"
	    " VALUES (7, 'k:k', 'u:k:x', '', 19675, 60, 'elsewhere - - 1 1',"
	    " 1700001000000000, 1700000060000000)"), ERR_NONE);
	ck_assert_int_eq(db_exec(db, migrations[i].sql), ERR_NONE);
	key.tokens_per_day = 100;
	key.requests_per_minute = 2;
	ck_assert_int_eq(reserve("u", 11), LIMITS_TOKENS);
	ck_assert_int_eq(verdict.retry_after_s, 2);
	settle((struct limits_reservation){.id = 7}, 10);
	ck_assert_int_eq(number("SELECT tokens FROM limit_tokens WHERE"
				" subject = 'user:k:x'"), 30);
	ck_assert_int_eq(reserve("u", 60), LIMITS_ALLOWED);
	ck_assert_int_eq(reserve("u", 0), LIMITS_REQUESTS);
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
	tcase_add_test(t, who_cannot_be_seen_is_dead_when_it_was_found_so);
	tcase_add_test(t, what_the_dead_held_is_settled_whosever_it_is);
	tcase_add_test(t, requests_alone_reserve_nothing);
	tcase_add_test(t, a_clock_that_jumps_frees_nothing);
	tcase_add_test(t, a_refused_turn_leaves_nothing);
	tcase_add_test(t, each_of_a_list_has_its_own_windows);
	tcase_add_test(t, all_of_a_list_or_none);
	tcase_add_test(t, a_list_and_a_key_and_a_bot);
	tcase_add_test(t, a_crowd_over_processes_gets_exactly_the_cap);
	tcase_add_test(t, old_windows_are_forgotten);
	tcase_add_test(t, what_an_older_version_held_is_held);
	tcase_add_test(t, a_subject_without_a_transaction_is_no_subject);
	suite_add_tcase(s, t);
	return s;
}
