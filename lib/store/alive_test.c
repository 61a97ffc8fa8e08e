/* Unit tests: which processes are alive. */
#include "store/alive.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/process.h"
#include "config/config.h"
#include "store/store.h"

Suite *alive_suite(void);

#define ELSEWHERE "elsewhere boot space 7 7"

static char folder[64];
static struct config config;
static struct store_pool *pool;

static void
setup(void)
{
	(void)snprintf(folder, sizeof(folder), "/tmp/parlance-alive-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	memset(&config, 0, sizeof(config));
	config.server.state = folder;
	config.server.busy_timeout_ms = 5000;
	pool = store_pool_new(&config, 2);
}

static void
teardown(void)
{
	char command[128];

	clock_pin_us(-1);
	store_pool_free(pool);
	(void)snprintf(command, sizeof(command), "rm -rf %s", folder);
	ck_assert_int_eq(system(command), 0);
}

static bool
is_dead(const char *name)
{
	struct db *db;
	bool dead;

	ck_assert_int_eq(store_lease(pool, &db), ERR_NONE);
	dead = alive_is_dead(db, span_of(name));
	store_return(pool, db);
	return dead;
}

static void
run(const char *sql)
{
	struct db *db;

	ck_assert_int_eq(store_lease(pool, &db), ERR_NONE);
	ck_assert_int_eq(db_exec(db, sql), ERR_NONE);
	store_return(pool, db);
}

/* Requests ask, that much later than those before. */
static bool
look(int64_t later_ms)
{
	static int64_t now_ms = 1000000;
	bool dead = is_dead(ELSEWHERE);

	now_ms += later_ms;
	alive_observe(pool, now_ms);
	return dead;
}

#define BEATS                                                                  \
	"INSERT INTO processes (name, heartbeats, dead) VALUES ('" ELSEWHERE   \
	"', 1, 0) ON CONFLICT (name) DO UPDATE SET "                           \
	"heartbeats = processes.heartbeats + 1, dead = 0"

START_TEST(who_can_be_looked_up_is_alive_or_dead_by_that)
{
	char dead[512];

	ck_assert(!is_dead(process_self()));
	(void)snprintf(dead, sizeof(dead), "%s0", process_self());
	ck_assert(is_dead(dead));
	ck_assert(is_dead(""));
	ck_assert(!alive_has_unknown());
}
END_TEST

START_TEST(who_cannot_is_dead_when_he_was_seen_not_to_move)
{
	int64_t jump = _i == 0 ? 0 : _i == 1 ? 3600 : -3600;

	if (_i > 0)
		clock_pin_us((int64_t)1700000000 * 1000000);
	ck_assert(!look(2000));
	ck_assert(!look(30000));
	run(BEATS);
	ck_assert(!look(31000));
	/* Of the wall clock nothing hangs. */
	if (_i > 0)
		clock_pin_us((int64_t)(1700000000 + jump) * 1000000);
	ck_assert(!look(30000));
	ck_assert(!look(29000));
	ck_assert(!look(1000)); /* a minute: it is found out now */
	ck_assert(look(1000));
	/* He was only asleep. */
	run(BEATS);
	ck_assert(!look(1000));
	ck_assert(!look(59000));
	ck_assert(!look(1000));
	ck_assert(look(1000));
}
END_TEST

START_TEST(a_process_gives_one_heartbeat_for_all_its_turns)
{
	struct db_stmt *s;
	struct db *db;
	bool row;
	int i;

	for (i = 0; i < 100; i++)
		ck_assert_int_eq(store_heartbeat(pool), ERR_NONE);
	ck_assert_int_eq(store_lease(pool, &db), ERR_NONE);
	s = db_prepare(db,
	    "SELECT heartbeats, name FROM processes WHERE dead = 0");
	ck_assert_int_eq(db_step(s, &row), ERR_NONE);
	ck_assert(row);
	ck_assert_int_eq(db_int(s, 0), 1);
	ck_assert(span_is(db_text(s, 1), process_self()));
	db_done(s);
	store_return(pool, db);
}
END_TEST

Suite *
alive_suite(void)
{
	Suite *s = suite_create("alive");
	TCase *t = tcase_create("alive");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, who_can_be_looked_up_is_alive_or_dead_by_that);
	tcase_add_loop_test(t,
	    who_cannot_is_dead_when_he_was_seen_not_to_move, 0, 3);
	tcase_add_test(t, a_process_gives_one_heartbeat_for_all_its_turns);
	suite_add_tcase(s, t);
	return s;
}
