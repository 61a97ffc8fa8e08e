#include "usage/usage_rows.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "config/config.h"
#include "store/store.h"

Suite *usage_rows_suite(void);

#define OK(call) ck_assert_int_eq((call), ERR_NONE)
#define WRITERS 6
#define EACH 100

static char folder[64];
static struct config config;
static struct store_pool *pool;
static struct db *db;
static struct arena arena;

static void
setup(void)
{
	(void)snprintf(folder, sizeof(folder), "/tmp/parlance-usage-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	memset(&config, 0, sizeof(config));
	config.server.state = folder;
	config.server.busy_timeout_ms = 8000;
	pool = store_pool_new(&config, 1);
	arena_init(&arena, 1U << 24);
	OK(store_lease(pool, &db));
}

static void
teardown(void)
{
	char command[128];

	store_return(pool, db);
	store_pool_free(pool);
	arena_release(&arena);
	(void)snprintf(command, sizeof(command), "rm -rf %s", folder);
	ck_assert_int_eq(system(command), 0);
}

static const struct usage_counts one = {1, 2, 3, 4, 5, 6};

static size_t
days_of(const char *account, struct span user, int32_t first, int32_t last,
    struct usage_day **days)
{
	size_t n;

	OK(usage_rows_days(db, account, user, first, last, &arena, days, &n));
	return n;
}

START_TEST(usage_adds_up_by_account_user_and_day)
{
	struct usage_day *days;

	OK(usage_rows_add(db, "web", SPAN("42"), 100, &one));
	OK(usage_rows_add(db, "web", SPAN("42"), 100, &one));
	OK(usage_rows_add(db, "web", SPAN("42"), 98, &one));
	OK(usage_rows_add(db, "web", SPAN("042"), 100, &one));
	OK(usage_rows_add(db, "other", SPAN("42"), 100, &one));
	ck_assert_uint_eq(days_of("web", SPAN("42"), 98, 100, &days), 2);
	ck_assert_int_eq(days[0].day, 98);
	ck_assert_int_eq(days[0].counts.original_tokens, 1);
	ck_assert_int_eq(days[1].day, 100);
	ck_assert_int_eq(days[1].counts.original_tokens, 2);
	ck_assert_int_eq(days[1].counts.enhancement_tokens, 4);
	ck_assert_int_eq(days[1].counts.response_tokens, 6);
	ck_assert_int_eq(days[1].counts.original_words, 8);
	ck_assert_int_eq(days[1].counts.enhancement_words, 10);
	ck_assert_int_eq(days[1].counts.response_words, 12);
	ck_assert_uint_eq(days_of("web", SPAN("42"), 99, 99, &days), 0);
	ck_assert_uint_eq(days_of("web", SPAN("42"), 100, 99, &days), 0);
	ck_assert_uint_eq(days_of("web", SPAN("43"), 0, 1000, &days), 0);
}
END_TEST

START_TEST(any_text_is_a_user)
{
	struct usage_day *days;
	char text[3000];
	struct span user = {text, sizeof(text)};

	memset(text, '7', sizeof(text));
	OK(usage_rows_add(db, "web", user, 5, &one));
	ck_assert_uint_eq(days_of("web", user, 5, 5, &days), 1);
	user.len--;
	ck_assert_uint_eq(days_of("web", user, 5, 5, &days), 0);
	OK(usage_rows_add(db, "web", SPAN("a\0b"), 5, &one));
	ck_assert_uint_eq(days_of("web", SPAN("a\0b"), 5, 5, &days), 1);
	ck_assert_uint_eq(days_of("web", SPAN("a"), 5, 5, &days), 0);
	ck_assert_uint_eq(days_of("web", SPAN("a\0c"), 5, 5, &days), 0);
	OK(usage_rows_add(db, "web", SPAN("\xED\xA0\x80"), 5, &one));
	ck_assert_uint_eq(days_of("web", SPAN("\xED\xA0\x80"), 5, 5, &days),
	    1);
	OK(usage_rows_add(db, "web", SPAN(""), 5, &one));
	ck_assert_uint_eq(days_of("web", SPAN("-1"), 5, 5, &days), 1);
}
END_TEST

/* Processes, as under CGI, each with a store of its own. */
static void
write_in_a_process(void)
{
	struct store_pool *own = store_pool_new(&config, 1);
	struct db *writer;
	int i;

	for (i = 0; i < EACH; i++) {
		if (store_lease(own, &writer) != ERR_NONE ||
		    usage_rows_add(writer, "web", SPAN("9"), 7, &one) !=
		        ERR_NONE)
			_exit(1);
		store_return(own, writer);
	}
	_exit(0);
}

START_TEST(counts_are_exact_under_many_processes)
{
	struct usage_day *days;
	int i, status;

	store_return(pool, db);
	store_pool_free(pool);
	for (i = 0; i < WRITERS; i++)
		if (fork() == 0)
			write_in_a_process();
	for (i = 0; i < WRITERS; i++) {
		ck_assert_int_ge(wait(&status), 0);
		ck_assert_int_eq(status, 0);
	}
	pool = store_pool_new(&config, 1);
	OK(store_lease(pool, &db));
	ck_assert_uint_eq(days_of("web", SPAN("9"), 7, 7, &days), 1);
	ck_assert_int_eq(days[0].counts.response_words,
	    WRITERS * EACH * one.response_words);
}
END_TEST

Suite *
usage_rows_suite(void)
{
	Suite *s = suite_create("usage_rows");
	TCase *t = tcase_create("usage_rows");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, usage_adds_up_by_account_user_and_day);
	tcase_add_test(t, any_text_is_a_user);
	tcase_add_test(t, counts_are_exact_under_many_processes);
	suite_add_tcase(s, t);
	return s;
}
