#include "store/store.h"

#include <check.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "config/config.h"

Suite *store_suite(void);

static char folder[64];
static struct config config;

static void
setup(void)
{
	(void)snprintf(folder, sizeof(folder), "/tmp/parlance-store-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	memset(&config, 0, sizeof(config));
	config.server.state = folder;
	config.server.busy_timeout_ms = 5000;
}

/* A table of our own, in a store that has its schema. */
static void
add_notes(void)
{
	struct store_pool *p = store_pool_new(&config, 1);
	struct db *db;

	ck_assert_int_eq(store_lease(p, &db), ERR_NONE);
	ck_assert_int_eq(db_exec(db, "CREATE TABLE notes (name TEXT PRIMARY "
				     "KEY NOT NULL, value TEXT NOT NULL)"),
	    ERR_NONE);
	store_return(p, db);
	store_pool_free(p);
}

static void
teardown(void)
{
	char command[128];

	(void)snprintf(command, sizeof(command), "rm -rf %s", folder);
	ck_assert_int_eq(system(command), 0);
}

static void
put(struct db *db, const char *name, const char *value)
{
	struct db_stmt *s = db_prepare(db,
	    "INSERT INTO notes (name, value) VALUES (?1, ?2)");

	db_bind_cstring(s, 1, name);
	db_bind_cstring(s, 2, value);
	ck_assert_int_eq(db_run(s), ERR_NONE);
}

static int64_t
count(struct db *db)
{
	struct db_stmt *s = db_prepare(db, "SELECT count(*) FROM notes");
	int64_t n;
	bool row;

	ck_assert_int_eq(db_step(s, &row), ERR_NONE);
	ck_assert(row);
	n = db_int(s, 0);
	db_done(s);
	return n;
}

START_TEST(the_first_lease_makes_the_schema_and_wal)
{
	struct store_pool *p = store_pool_new(&config, 2);
	struct db *db;

	add_notes();
	ck_assert_int_eq(store_lease(p, &db), ERR_NONE);
	ck_assert_str_eq(db_journal(db), "wal");
	ck_assert_int_eq(count(db), 0);
	store_return(p, db);
	store_pool_free(p);
}
END_TEST

START_TEST(an_open_transaction_is_rolled_back_on_return)
{
	struct store_pool *p = store_pool_new(&config, 1);
	struct db *db;

	add_notes();
	ck_assert_int_eq(store_lease(p, &db), ERR_NONE);
	ck_assert_int_eq(db_begin(db), ERR_NONE);
	put(db, "a", "b");
	store_return(p, db);
	ck_assert_int_eq(store_lease(p, &db), ERR_NONE);
	ck_assert_int_eq(count(db), 0);
	store_return(p, db);
	store_pool_free(p);
}
END_TEST

START_TEST(text_keeps_nul_and_emptiness_apart_from_null)
{
	struct store_pool *p = store_pool_new(&config, 1);
	struct db *db;
	struct db_stmt *s;
	bool row;

	ck_assert_int_eq(store_lease(p, &db), ERR_NONE);
	s = db_prepare(db, "SELECT ?1, ?2, ?3");
	db_bind_text(s, 1, SPAN("a\0b"));
	db_bind_text(s, 2, SPAN(""));
	db_bind_null(s, 3);
	ck_assert_int_eq(db_step(s, &row), ERR_NONE);
	ck_assert(span_equal(db_text(s, 0), SPAN("a\0b")));
	ck_assert_ptr_nonnull(db_text(s, 1).data);
	ck_assert_uint_eq(db_text(s, 1).len, 0);
	ck_assert_ptr_null(db_text(s, 2).data);
	db_done(s);
	store_return(p, db);
	store_pool_free(p);
}
END_TEST

START_TEST(writers_in_several_processes_all_get_through)
{
	struct store_pool *p;
	struct db *db;
	int i, k, status;
	char name[32];

	add_notes();
	for (i = 0; i < 6; i++) {
		if (fork() != 0)
			continue;
		p = store_pool_new(&config, 1);
		for (k = 0; k < 25; k++) {
			if (store_lease(p, &db) != ERR_NONE ||
			    db_begin(db) != ERR_NONE)
				_exit(1);
			(void)snprintf(name, sizeof(name), "%d-%d", i, k);
			put(db, name, "x");
			if (db_commit(db) != ERR_NONE)
				_exit(1);
			store_return(p, db);
		}
		store_pool_free(p);
		_exit(0);
	}
	for (i = 0; i < 6; i++) {
		ck_assert_int_gt(wait(&status), 0);
		ck_assert_int_eq(status, 0);
	}
	p = store_pool_new(&config, 1);
	ck_assert_int_eq(store_lease(p, &db), ERR_NONE);
	ck_assert_int_eq(count(db), 150);
	store_return(p, db);
	store_pool_free(p);
}
END_TEST

/* A change that writes its name, or fails after writing. */
struct named {
	struct store_pool *pool;
	char name[32];
	bool fails;
	enum err err;
};

static enum err
write_name(struct db *db, void *arg)
{
	struct named *n = arg;
	struct db_stmt *s = db_prepare(db,
	    "INSERT INTO notes (name, value) VALUES (?1, 'x')");
	enum err err;

	db_bind_cstring(s, 1, n->name);
	err = db_run(s);
	return err == ERR_NONE && n->fails ? ERR_INPUT : err;
}

static void *
write_in_thread(void *arg)
{
	struct named *n = arg;

	n->err = store_write_durable(n->pool, write_name, n);
	return NULL;
}

START_TEST(changes_of_many_threads_are_all_kept_or_taken_back)
{
	enum { THREADS = 40 };
	struct store_pool *p = store_pool_new(&config, 4);
	pthread_t threads[THREADS];
	struct named changes[THREADS];
	struct db *db;
	int i, round, kept = 0;

	add_notes();
	memset(changes, 0, sizeof(changes));
	for (round = 0; round < 5; round++) {
		for (i = 0; i < THREADS; i++) {
			changes[i].pool = p;
			changes[i].fails = i % 4 == 0;
			(void)snprintf(changes[i].name,
			    sizeof(changes[i].name), "%d-%d", round, i);
			ck_assert_int_eq(pthread_create(&threads[i], NULL,
					     write_in_thread, &changes[i]),
			    0);
		}
		for (i = 0; i < THREADS; i++) {
			(void)pthread_join(threads[i], NULL);
			ck_assert_int_eq(changes[i].err,
			    changes[i].fails ? ERR_INPUT : ERR_NONE);
			kept += changes[i].err == ERR_NONE;
		}
	}
	ck_assert_int_eq(store_lease(p, &db), ERR_NONE);
	ck_assert_int_eq(count(db), kept);
	store_return(p, db);
	store_pool_free(p);
}
END_TEST

static atomic_int slow_runs, waiting;

/* Others ask meanwhile, and share the next transaction. */
static enum err
change_slowly(struct db *db, void *arg)
{
	int tries;

	(void)arg;
	atomic_store(&slow_runs, 1);
	for (tries = 0; atomic_load(&waiting) < 2 && tries < 20000; tries++)
		(void)usleep(1000);
	(void)usleep(200000); /* they say so just before they wait */
	put(db, "slow", "x");
	return ERR_NONE;
}

/* As SQLite does by itself when the disk is full. */
static enum err
change_and_lose_all(struct db *db, void *arg)
{
	(void)arg;
	db_rollback(db);
	return ERR_STORE_FULL;
}

static enum err
change_well(struct db *db, void *arg)
{
	(void)arg;
	put(db, "name", "x");
	return ERR_NONE;
}

struct asked {
	struct store_pool *pool;
	store_change change;
	enum err err;
};

static void *
ask_for_change(void *arg)
{
	struct asked *a = arg;

	(void)atomic_fetch_add(&waiting, a->change == change_slowly ? 0 : 1);
	a->err = store_write_durable(a->pool, a->change, NULL);
	return NULL;
}

START_TEST(a_transaction_that_is_gone_takes_all_changes_with_it)
{
	struct store_pool *p = store_pool_new(&config, 2);
	struct asked asked[3] = {{p, change_slowly, ERR_NONE},
	    {p, change_and_lose_all, ERR_NONE}, {p, change_well, ERR_NONE}};
	pthread_t threads[3];
	struct db *db;
	int i;

	add_notes();
	atomic_store(&slow_runs, 0);
	atomic_store(&waiting, 0);
	for (i = 0; i < 3; i++) {
		ck_assert_int_eq(pthread_create(&threads[i], NULL,
		    ask_for_change, &asked[i]), 0);
		while (!atomic_load(&slow_runs))
			(void)usleep(1000);
		(void)usleep(20000); /* in this order */
	}
	for (i = 0; i < 3; i++)
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
	ck_assert_int_eq(asked[0].err, ERR_NONE);
	ck_assert_int_eq(asked[1].err, ERR_STORE_FULL);
	ck_assert_int_eq(asked[2].err, ERR_STORE_FULL);
	ck_assert_int_eq(store_lease(p, &db), ERR_NONE);
	ck_assert_int_eq(count(db), 1); /* the slow one's, before */
	store_return(p, db);
	store_pool_free(p);
}
END_TEST

static enum err
change_named(struct db *db, void *arg)
{
	put(db, arg, "deferred");
	return ERR_NONE;
}

static enum err
change_badly(struct db *db, void *arg)
{
	(void)arg;
	put(db, "bad", "x");
	return ERR_CONFLICT;
}

START_TEST(what_is_deferred_is_stored_with_the_next_change)
{
	struct store_pool *p = store_pool_new(&config, 2);
	struct db *db;

	add_notes();
	store_defer(p, change_named, "first", 6);
	store_defer(p, change_badly, "", 1);
	store_defer(p, change_named, "second", 7);
	/* While another holds the database it stays deferred. */
	config.server.busy_timeout_ms = 10;
	ck_assert_int_eq(store_lease(p, &db), ERR_NONE);
	ck_assert_int_eq(db_begin(db), ERR_NONE);
	ck_assert_int_eq(store_write_durable(p, change_well, NULL),
	    ERR_STORE_BUSY);
	ck_assert_int_eq(count(db), 0);
	store_return(p, db);
	/* It does not hang on the fate of the change that it goes with. */
	ck_assert_int_eq(store_write_durable(p, change_badly, NULL),
	    ERR_CONFLICT);
	ck_assert_int_eq(store_lease(p, &db), ERR_NONE);
	ck_assert_int_eq(count(db), 2);
	store_return(p, db);
	ck_assert_int_eq(store_write_durable(p, change_well, NULL), ERR_NONE);
	ck_assert_int_eq(store_lease(p, &db), ERR_NONE);
	ck_assert_int_eq(count(db), 3);
	store_return(p, db);
	/* The last chance is when the pool goes. */
	store_defer(p, change_named, "last", 5);
	store_pool_free(p);
	p = store_pool_new(&config, 1);
	ck_assert_int_eq(store_lease(p, &db), ERR_NONE);
	ck_assert_int_eq(count(db), 4);
	store_return(p, db);
	store_pool_free(p);
}
END_TEST

/* The state folder is moved away while connections are open. */
static void
move_away(const char *suffix)
{
	char command[256];

	(void)snprintf(command, sizeof(command),
	    "mkdir %s/away && mv %s/parlance.db%s %s/away", folder, folder,
	    suffix, folder);
	ck_assert_int_eq(system(command), 0);
}

/* A job that notes how it went. */
struct noted {
	struct store_job job;
	struct named named;
	sem_t done;
	enum err err;
};

static void
note(struct store_job *job, enum err err)
{
	struct noted *n = (struct noted *)job;

	n->err = err;
	(void)sem_post(&n->done);
}

START_TEST(jobs_are_made_together_and_each_told_of_its_own)
{
	enum { JOBS = 30 };
	struct store_pool *p = store_pool_new(&config, 4);
	struct noted jobs[JOBS];
	struct db *db;
	int i, kept = 0;

	add_notes();
	memset(jobs, 0, sizeof(jobs));
	for (i = 0; i < JOBS; i++) {
		struct noted *n = &jobs[i];

		(void)sem_init(&n->done, 0, 0);
		n->named.fails = i % 5 == 0;
		(void)snprintf(n->named.name, sizeof(n->named.name), "%d", i);
		n->job.done = note;
		n->job.arg = &n->named;
		/* Some wait for the disk alone. */
		n->job.change = i % 7 == 0 ? NULL : write_name;
		store_when_durable(p, &n->job);
	}
	for (i = 0; i < JOBS; i++) {
		ck_assert_int_eq(sem_wait(&jobs[i].done), 0);
		(void)sem_destroy(&jobs[i].done);
		ck_assert_int_eq(jobs[i].err,
		    i % 7 != 0 && i % 5 == 0 ? ERR_INPUT : ERR_NONE);
		kept += i % 7 != 0 && i % 5 != 0;
	}
	ck_assert_int_eq(store_lease(p, &db), ERR_NONE);
	ck_assert_int_eq(count(db), kept);
	store_return(p, db);
	store_pool_free(p);
}
END_TEST

START_TEST(the_pool_waits_for_its_jobs)
{
	struct store_pool *p = store_pool_new(&config, 2);
	struct noted n = {.named = {.name = "late"},
	    .job = {.change = write_name, .arg = &n.named, .done = note}};

	add_notes();
	(void)sem_init(&n.done, 0, 0);
	store_when_durable(p, &n.job);
	store_pool_free(p);
	ck_assert_int_eq(sem_trywait(&n.done), 0);
	ck_assert_int_eq(n.err, ERR_NONE);
	(void)sem_destroy(&n.done);
}
END_TEST

START_TEST(a_database_that_was_moved_is_opened_anew)
{
	struct store_pool *p = store_pool_new(&config, 2);
	struct store_pool *other = store_pool_new(&config, 2);
	struct db *db, *a, *b;

	add_notes();
	ck_assert_int_eq(store_lease(p, &a), ERR_NONE);
	ck_assert_int_eq(store_lease(p, &b), ERR_NONE);
	put(a, "old", "x");
	store_return(p, a);
	store_return(p, b);
	move_away("*");
	add_notes();
	/* Another process makes a new one, and has it in its log yet. */
	ck_assert_int_eq(store_lease(other, &db), ERR_NONE);
	put(db, "new", "x");
	put(db, "newer", "x");
	ck_assert_int_eq(store_lease(p, &a), ERR_NONE);
	ck_assert_int_eq(count(a), 2);
	put(a, "newest", "x");
	ck_assert_int_eq(store_lease(p, &b), ERR_NONE);
	ck_assert_int_eq(count(b), 3);
	store_return(p, a);
	store_return(p, b);
	store_pool_free(p);
	ck_assert_int_eq(count(db), 3);
	store_return(other, db);
	store_pool_free(other);
}
END_TEST

START_TEST(closing_a_moved_database_leaves_the_log_of_the_new_one)
{
	struct store_pool *p = store_pool_new(&config, 2);
	struct store_pool *other = store_pool_new(&config, 2);
	char path[128];
	struct db *db;

	ck_assert_int_eq(store_lease(p, &db), ERR_NONE);
	store_return(p, db);
	move_away("*");
	add_notes();
	ck_assert_int_eq(store_lease(other, &db), ERR_NONE);
	put(db, "new", "x");
	store_pool_free(p);
	(void)snprintf(path, sizeof(path), "%s/parlance.db-wal", folder);
	ck_assert_int_eq(access(path, F_OK), 0);
	store_return(other, db);
	store_pool_free(other);
}
END_TEST

START_TEST(a_damaged_file_is_said_to_be_damaged)
{
	struct store_pool *p = store_pool_new(&config, 1);
	struct buf why = BUF_INIT(4096);
	struct db *db;
	char path[128];
	FILE *f;
	int i;

	(void)snprintf(path, sizeof(path), "%s/parlance.db", folder);
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	for (i = 0; i < 1000; i++)
		(void)fputs("not a database ", f);
	(void)fclose(f);
	ck_assert_int_eq(store_lease(p, &db), ERR_STORE_CORRUPT);
	ck_assert_ptr_null(db);
	ck_assert_int_eq(store_check(&config, &why), ERR_STORE_CORRUPT);
	ck_assert_ptr_nonnull(strstr(buf_text(&why), "backup"));
	buf_release(&why);
	store_pool_free(p);
}
END_TEST

START_TEST(a_missing_folder_is_named_with_its_mending)
{
	struct buf why = BUF_INIT(4096);
	struct store_pool *p;
	struct db *db;

	config.server.state = "/nonexistent/parlance";
	p = store_pool_new(&config, 1);
	ck_assert_int_eq(store_lease(p, &db), ERR_STORE);
	ck_assert_int_eq(store_check(&config, &why), ERR_STORE);
	ck_assert_ptr_nonnull(strstr(buf_text(&why), "mkdir"));
	buf_release(&why);
	store_pool_free(p);
}
END_TEST

START_TEST(a_database_of_a_newer_program_is_refused)
{
	struct store_pool *p = store_pool_new(&config, 1);
	struct db *db;

	ck_assert_int_eq(store_lease(p, &db), ERR_NONE);
	ck_assert_int_eq(db_exec(db,
	    "UPDATE schema_version SET version = 9999"), ERR_NONE);
	store_return(p, db);
	store_pool_free(p);
	p = store_pool_new(&config, 1);
	ck_assert_int_eq(store_lease(p, &db), ERR_STORE);
	store_pool_free(p);
}
END_TEST

Suite *
store_suite(void)
{
	Suite *s = suite_create("store");
	TCase *t = tcase_create("store");

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, the_first_lease_makes_the_schema_and_wal);
	tcase_add_test(t, an_open_transaction_is_rolled_back_on_return);
	tcase_add_test(t, text_keeps_nul_and_emptiness_apart_from_null);
	tcase_add_test(t, writers_in_several_processes_all_get_through);
	tcase_add_test(t, changes_of_many_threads_are_all_kept_or_taken_back);
	tcase_add_test(t,
	    a_transaction_that_is_gone_takes_all_changes_with_it);
	tcase_add_test(t, what_is_deferred_is_stored_with_the_next_change);
	tcase_add_test(t, jobs_are_made_together_and_each_told_of_its_own);
	tcase_add_test(t, the_pool_waits_for_its_jobs);
	tcase_add_test(t, a_database_that_was_moved_is_opened_anew);
	tcase_add_test(t,
	    closing_a_moved_database_leaves_the_log_of_the_new_one);
	tcase_add_test(t, a_damaged_file_is_said_to_be_damaged);
	tcase_add_test(t, a_missing_folder_is_named_with_its_mending);
	tcase_add_test(t, a_database_of_a_newer_program_is_refused);
	suite_add_tcase(s, t);
	return s;
}
