#include "store/tasks.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "config/config.h"

Suite *tasks_suite(void);

#define TASK "0b6f2c1e-7d0a-4a51-9d55-1f3c8e2a7b90"
#define BOT "edf826b8-1b75-4f57-bd26-641c897f9c1e"

static char folder[64];
static struct config config;
static struct store_pool *pool;
static int64_t now_ms = 1000000;

static void
setup(void)
{
	(void)snprintf(folder, sizeof(folder), "/tmp/parlance-tasks-XXXXXX");
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

	store_pool_free(pool);
	clock_pin_us(-1);
	(void)snprintf(command, sizeof(command), "rm -rf %s", folder);
	ck_assert_int_eq(system(command), 0);
}

static void
insert(const char *task)
{
	struct db *db;

	ck_assert_int_eq(store_lease(pool, &db), ERR_NONE);
	ck_assert_int_eq(task_insert(db, task, BOT, SPAN("rider")), ERR_NONE);
	store_return(pool, db);
}

static bool
request_stop(struct store_pool *p, const char *bot, struct span user)
{
	bool known = false;
	struct db *db;

	ck_assert_int_eq(store_lease(p, &db), ERR_NONE);
	ck_assert_int_eq(
	    task_request_stop(db, SPAN(TASK), bot, user, &known), ERR_NONE);
	store_return(p, db);
	return known;
}

/* As a stream asks. */
static bool
stopped(struct task_watch *w, int64_t ms)
{
	if (task_watch_due(w, ms))
		task_watch_look(w);
	return task_watch_stopped(w);
}

START_TEST(another_process_stops_it)
{
	struct task_watch w;
	int status;
	pid_t child;

	insert(TASK);
	child = fork();
	if (child == 0) {
		struct store_pool *own = store_pool_new(&config, 1);

		_exit(request_stop(own, BOT, SPAN("rider")) ? 0 : 1);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	task_watch_begin(&w, pool, TASK);
	now_ms += 1000;
	ck_assert(stopped(&w, now_ms));
	ck_assert(stopped(&w, now_ms));
	task_watch_end(&w);
	task_watch_end(&w);
}
END_TEST

START_TEST(only_its_own_bot_and_user_stop_it)
{
	struct task_watch w;

	insert(TASK);
	ck_assert(!request_stop(pool, BOT, SPAN("another")));
	ck_assert(!request_stop(pool, TASK, SPAN("rider")));
	task_watch_begin(&w, pool, TASK);
	now_ms += 1000;
	ck_assert(!stopped(&w, now_ms));
	ck_assert(request_stop(pool, BOT, SPAN("rider")));
	now_ms += 100;
	ck_assert(!stopped(&w, now_ms)); /* too soon to look */
	now_ms += 200;
	ck_assert(stopped(&w, now_ms));
	task_watch_end(&w);
}
END_TEST

START_TEST(one_look_serves_every_watch)
{
	struct task_watch a, b;

	insert(TASK);
	insert("0b6f2c1e-7d0a-4a51-9d55-000000000000");
	task_watch_begin(&a, pool, TASK);
	task_watch_begin(&b, pool, "0b6f2c1e-7d0a-4a51-9d55-000000000000");
	ck_assert(request_stop(pool, BOT, SPAN("rider")));
	now_ms += 1000;
	ck_assert(!stopped(&b, now_ms));
	ck_assert(stopped(&a, now_ms));
	task_watch_end(&a);
	task_watch_end(&b);
}
END_TEST

START_TEST(an_ended_task_is_unknown)
{
	struct db *db;

	insert(TASK);
	ck_assert_int_eq(store_lease(pool, &db), ERR_NONE);
	ck_assert_int_eq(task_delete(db, TASK), ERR_NONE);
	ck_assert_int_eq(task_delete(db, TASK), ERR_NONE);
	store_return(pool, db);
	ck_assert(!request_stop(pool, BOT, SPAN("rider")));
}
END_TEST

static int64_t
count_tasks(void)
{
	struct db_stmt *s;
	struct db *db;
	int64_t n;
	bool row;

	ck_assert_int_eq(store_lease(pool, &db), ERR_NONE);
	s = db_prepare(db, "SELECT count(*) FROM tasks");
	ck_assert_int_eq(db_step(s, &row), ERR_NONE);
	n = db_int(s, 0);
	db_done(s);
	store_return(pool, db);
	return n;
}

START_TEST(a_killed_process_leaves_nothing_for_ever)
{
	struct db *db;

	clock_pin_us(1000000000);
	insert(TASK);
	ck_assert_int_eq(store_lease(pool, &db), ERR_NONE);
	ck_assert_int_eq(db_exec(db, "UPDATE tasks SET owner = NULL"),
	    ERR_NONE);
	store_return(pool, db);
	clock_pin_us(1000000000 + (int64_t)31 * 60 * 1000000);
	insert("0b6f2c1e-7d0a-4a51-9d55-000000000000");
	ck_assert_int_eq(count_tasks(), 1);
	ck_assert(!request_stop(pool, BOT, SPAN("rider")));
}
END_TEST

START_TEST(a_clock_that_jumps_stops_nothing_from_being_stopped)
{
	struct task_watch a;

	clock_pin_us((int64_t)9000 * 1000000);
	insert(TASK);
	task_watch_begin(&a, pool, TASK);
	clock_pin_us((int64_t)(9000 + 3600) * 1000000);
	insert("0b6f2c1e-7d0a-4a51-9d55-000000000000");
	ck_assert_int_eq(count_tasks(), 2);
	ck_assert(request_stop(pool, BOT, SPAN("rider")));
	clock_pin_us((int64_t)1000 * 1000000);
	now_ms += 1000;
	ck_assert(stopped(&a, now_ms));
	task_watch_end(&a);
}
END_TEST

Suite *
tasks_suite(void)
{
	Suite *s = suite_create("tasks");
	TCase *t = tcase_create("tasks");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, another_process_stops_it);
	tcase_add_test(t, only_its_own_bot_and_user_stop_it);
	tcase_add_test(t, one_look_serves_every_watch);
	tcase_add_test(t, an_ended_task_is_unknown);
	tcase_add_test(t, a_killed_process_leaves_nothing_for_ever);
	tcase_add_test(t, a_clock_that_jumps_stops_nothing_from_being_stopped);
	suite_add_tcase(s, t);
	return s;
}
