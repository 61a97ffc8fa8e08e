/* Uploads that nothing needs, over a store and a folder of their own. */
#include "store/clean.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/uuid.h"
#include "config/config.h"
#include "store/conversations.h"
#include "store/end_users.h"
#include "store/files.h"
#include "store/messages.h"

Suite *clean_suite(void);

#define APP "0d1a5f0e-0000-8000-8000-000000000001"
#define DAY INT64_C(86400)
#define OK(call) ck_assert_int_eq((call), ERR_NONE)

static char folder[64];
static struct config config;
static struct store_pool *pool;
static struct arena arena;
static struct end_user_row rider;
static int64_t now_s;

static void
setup(void)
{
	char path[128];
	struct db *db;

	(void)snprintf(folder, sizeof(folder), "/tmp/parlance-clean-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/files", folder);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	memset(&config, 0, sizeof(config));
	config.server.state = folder;
	config.server.busy_timeout_ms = 5000;
	config.server.upload_days = 30;
	pool = store_pool_new(&config, 1);
	arena_init(&arena, 16 * 1024 * 1024);
	now_s = clock_now_us() / 1000000;
	OK(store_lease(pool, &db));
	OK(end_users_ensure(db, APP, SPAN("rider-7"), false, now_s, &arena,
	    &rider));
	store_return(pool, db);
}

static void
teardown(void)
{
	char command[128];

	store_pool_free(pool);
	arena_release(&arena);
	(void)snprintf(command, sizeof(command), "rm -rf %s", folder);
	ck_assert_int_eq(system(command), 0);
}

static const char *
path_of(const char *name)
{
	return arena_printf(&arena, "%s/files/%s", folder, name);
}

static bool
there(const char *name)
{
	return access(path_of(name), F_OK) == 0;
}

/* Bytes of that age. */
static void
put_bytes(const char *name, int64_t days)
{
	struct timeval times[2] = {{.tv_sec = now_s - days * DAY},
	    {.tv_sec = now_s - days * DAY}};
	FILE *f = fopen(path_of(name), "w");

	ck_assert_ptr_nonnull(f);
	(void)fputs("12345", f);
	(void)fclose(f);
	ck_assert_int_eq(utimes(path_of(name), times), 0);
}

static struct file_row
put_file(int64_t days)
{
	char id[UUID_TEXT];
	struct file_row row = {.name = SPAN("a.txt"), .extension = "txt",
	    .mime_type = "text/plain", .size = 5,
	    .created_us = (now_s - days * DAY) * 1000000};
	struct db *db;

	OK(uuid_random(id));
	row.id = arena_strdup(&arena, id);
	put_bytes(id, days);
	OK(store_lease(pool, &db));
	OK(files_add(db, APP, rider.seq, &row));
	store_return(pool, db);
	return row;
}

/* A conversation with a message that the file was sent with. */
static int64_t
send(const struct file_row *file)
{
	char ids[3][UUID_TEXT];
	struct conversation_row c = {.id = ids[0],
	    .name = SPAN("n"), .inputs = SPAN("{}"),
	    .introduction = SPAN("")};
	struct message_row m = {.id = ids[1], .end_user = rider.seq,
	    .inputs = SPAN("{}"), .query = SPAN("q"), .n_files = 1};
	struct message_file_row row = {.id = ids[2], .type = "document",
	    .transfer_method = "local_file", .file = file->seq};
	struct db *db;
	int i;

	for (i = 0; i < 3; i++)
		OK(uuid_random(ids[i]));
	OK(store_lease(pool, &db));
	OK(conversations_add(db, rider.seq, &c));
	m.conversation = c.seq;
	OK(messages_add(db, "bot", &m));
	OK(message_files_add(db, m.seq, &row));
	store_return(pool, db);
	return c.seq;
}

static void
forget(int64_t conversation)
{
	struct db *db;

	OK(store_lease(pool, &db));
	OK(conversations_delete(db, conversation));
	store_return(pool, db);
}

/* The row and the bytes agree: both there or both gone. */
static bool
kept(const struct file_row *file)
{
	struct db *db;
	bool row;

	OK(store_lease(pool, &db));
	OK(files_exist(db, span_of(file->id), &row));
	store_return(pool, db);
	ck_assert_int_eq(row, there(file->id));
	return row;
}

START_TEST(what_no_message_needs_goes)
{
	struct file_row unused = put_file(31), young = put_file(29),
			sent = put_file(400), shared = put_file(400),
			deleted = put_file(400);
	struct clean_counts counts;

	(void)send(&sent);
	(void)send(&shared);
	forget(send(&shared));
	forget(send(&deleted));
	OK(clean_all(&config, pool, &counts));
	ck_assert(!kept(&unused));
	ck_assert(kept(&young));
	ck_assert(kept(&sent));
	ck_assert(kept(&shared));
	ck_assert(!kept(&deleted));
	ck_assert_int_eq(counts.uploads, 2);
	ck_assert_int_eq(counts.leftovers, 0);
	ck_assert_int_eq(counts.bytes, 10);
	OK(clean_all(&config, pool, &counts));
	ck_assert_int_eq(counts.uploads, 0);
}
END_TEST

START_TEST(zero_days_keep_everything)
{
	struct file_row unused = put_file(4000);
	struct clean_counts counts;

	config.server.upload_days = 0;
	OK(clean_all(&config, pool, &counts));
	clean_some(&config, pool);
	ck_assert(kept(&unused));
}
END_TEST

#define ID "0d1a5f0e-0000-4000-8000-0000000000a"

START_TEST(old_bytes_without_a_row_go)
{
	struct file_row sent = put_file(3);
	struct clean_counts counts;

	put_bytes(ID "1", 2);
	put_bytes(ID "2", 0);
	put_bytes(ID "3.part", 2);
	put_bytes(ID "4.part", 0);
	put_bytes("mine.txt", 100);
	put_bytes("../upload-" ID "5.pdf", 2);
	put_bytes("../upload-" ID "6", 0);
	put_bytes("../upload-mine", 100);
	put_bytes("../" ID "7", 100);
	OK(clean_all(&config, pool, &counts));
	ck_assert(!there(ID "1"));
	ck_assert(there(ID "2"));
	ck_assert(!there(ID "3.part"));
	ck_assert(there(ID "4.part"));
	ck_assert(there("mine.txt"));
	ck_assert(!there("../upload-" ID "5.pdf"));
	ck_assert(there("../upload-" ID "6"));
	ck_assert(there("../upload-mine"));
	ck_assert(there("../" ID "7"));
	ck_assert(kept(&sent));
	ck_assert_int_eq(counts.leftovers, 3);
}
END_TEST

/* A day is a day; and a step of a thousand rows goes on with the next. */
START_TEST(some_is_cleaned_once_a_day)
{
	struct file_row first = put_file(31), second;
	struct db *db;

	clean_some(&config, pool);
	ck_assert(!kept(&first));
	second = put_file(31);
	clean_some(&config, pool);
	ck_assert(kept(&second));
	OK(store_lease(pool, &db));
	OK(db_exec(db, "UPDATE cleaning SET finished_us = finished_us - "
		       "86400000000"));
	OK(db_exec(db, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL "
	    "SELECT i + 1 FROM n WHERE i < 1500) INSERT INTO files (id, app, "
	    "end_user, name, extension, mime_type, size, created_us) "
	    "SELECT i, app, end_user, name, '', '', 0, created_us "
	    "FROM files, n"));
	store_return(pool, db);
	clean_some(&config, pool);
	ck_assert(!kept(&second));
	first = put_file(31);
	clean_some(&config, pool);
	ck_assert(!kept(&first));
	second = put_file(31);
	clean_some(&config, pool);
	ck_assert(kept(&second));
}
END_TEST

START_TEST(a_clock_that_was_set_back_does_not_stop_it)
{
	struct file_row unused = put_file(31);
	struct db *db;

	OK(store_lease(pool, &db));
	OK(db_exec(db, "UPDATE cleaning SET finished_us = 9000000000000000"));
	store_return(pool, db);
	clean_some(&config, pool);
	ck_assert(!kept(&unused));
}
END_TEST

Suite *
clean_suite(void)
{
	Suite *s = suite_create("clean");
	TCase *t = tcase_create("clean");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, what_no_message_needs_goes);
	tcase_add_test(t, zero_days_keep_everything);
	tcase_add_test(t, old_bytes_without_a_row_go);
	tcase_add_test(t, some_is_cleaned_once_a_day);
	tcase_add_test(t, a_clock_that_was_set_back_does_not_stop_it);
	suite_add_tcase(s, t);
	return s;
}
