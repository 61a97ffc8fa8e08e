/* Unit tests: replies that wait for the disk. */
#include "durable/durable_reply.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "http/gateway_memory.h"
#include "store/store.h"

Suite *durable_reply_suite(void);

static char folder[64];
static struct config config;
static struct exchange x;
static struct gateway_memory memory;

static void
setup(void)
{
	static const char *const no_params[] = {NULL};
	struct db *db;

	(void)snprintf(folder, sizeof(folder), "/tmp/parlance-durable-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	memset(&config, 0, sizeof(config));
	config.server.state = folder;
	config.server.busy_timeout_ms = 5000;
	x = (struct exchange){.stores = store_pool_new(&config, 2)};
	ck_assert_int_eq(store_lease(x.stores, &db), ERR_NONE);
	ck_assert_int_eq(db_exec(db, "CREATE TABLE notes (name TEXT)"),
	    ERR_NONE);
	store_return(x.stores, db);
	gateway_memory_init(&memory, no_params, SPAN_NONE);
	response_init(&x.response, &memory.gateway, "id", false);
}

static void
teardown(void)
{
	char command[128];

	response_release(&x.response);
	gateway_memory_release(&memory);
	store_pool_free(x.stores);
	(void)snprintf(command, sizeof(command), "rm -rf %s", folder);
	ck_assert_int_eq(system(command), 0);
}

static int64_t
count(const char *sql)
{
	struct db_stmt *s;
	struct db *db;
	int64_t n;
	bool row;

	ck_assert_int_eq(store_lease(x.stores, &db), ERR_NONE);
	s = db_prepare(db, sql);
	ck_assert_int_eq(db_step(s, &row), ERR_NONE);
	n = db_int(s, 0);
	db_done(s);
	store_return(x.stores, db);
	return n;
}

#define KEPT "SELECT count(*) FROM notes WHERE name = 'kept'"
#define LOST "SELECT count(*) FROM notes WHERE name = 'lost'"

/* A store_change; *arg: the result. */
static enum err
keep(struct db *db, void *arg)
{
	const enum err *result = arg;

	ck_assert_int_eq(db_run(db_prepare(db,
	    "INSERT INTO notes (name) VALUES ('kept')")), ERR_NONE);
	return *result;
}

/* A store_change. */
static enum err
note_loss(struct db *db, void *arg)
{
	(void)arg;
	return db_run(db_prepare(db,
	    "INSERT INTO notes (name) VALUES ('lost')"));
}

static enum err
change_nothing(struct db *db, void *arg)
{
	(void)db;
	(void)arg;
	return ERR_NONE;
}

START_TEST(a_change_is_made_before_its_reply_is_sent)
{
	enum err result = _i == 1 ? ERR_INPUT : ERR_NONE;
	struct durable_change change = {.change = keep,
	    .if_lost = note_loss,
	    .arg = &result,
	    .size = sizeof(result)};

	durable_reply_with(&x, &change);
	ck_assert_ptr_eq(x.change, &change);
	ck_assert_int_eq(response_send(&x.response, "text/plain", SPAN("ok")),
	    result);
	ck_assert_uint_eq(memory.writes, result == ERR_NONE);
	ck_assert_int_eq(count(KEPT), result == ERR_NONE);
	/* A loss is stored with the next change. */
	ck_assert(store_has_deferred(x.stores) == (result != ERR_NONE));
	ck_assert_int_eq(store_write_committed(x.stores, change_nothing, NULL,
	    NULL), ERR_NONE);
	ck_assert_int_eq(count(LOST), result != ERR_NONE);
	/* What takes its place waits for nothing more. */
	if (result != ERR_NONE)
		ck_assert_int_eq(response_send(&x.response, "text/plain",
		    SPAN("no")), ERR_NONE);
}
END_TEST

START_TEST(a_committed_change_is_seen_before_its_reply)
{
	enum err result = _i == 1 ? ERR_NOT_FOUND : ERR_NONE;

	config.server.durable = true;
	ck_assert_int_eq(durable_reply_write(&x, keep, &result), result);
	ck_assert_int_eq(count(KEPT), result == ERR_NONE);
	ck_assert_uint_eq(memory.writes, 0);
	ck_assert_int_eq(response_send(&x.response, "text/plain", SPAN("ok")),
	    ERR_NONE);
	ck_assert_uint_eq(memory.writes, 1);
}
END_TEST

Suite *
durable_reply_suite(void)
{
	Suite *s = suite_create("durable_reply");
	TCase *t = tcase_create("durable_reply");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, a_change_is_made_before_its_reply_is_sent, 0,
	    2);
	tcase_add_loop_test(t, a_committed_change_is_seen_before_its_reply, 0,
	    2);
	suite_add_tcase(s, t);
	return s;
}
