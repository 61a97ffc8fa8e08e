/* Every kind of row of the messages API, over a store of its own. */
#include "store/rows.h"

#include <check.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/process.h"
#include "base/uuid.h"
#include "config/config.h"
#include "store/annotations.h"
#include "store/conversations.h"
#include "store/datasets.h"
#include "store/end_users.h"
#include "store/feedback.h"
#include "store/files.h"
#include "store/messages.h"
#include "store/store.h"

Suite *rows_suite(void);

#define APP "0d1a5f0e-0000-8000-8000-000000000001"
#define OTHER_APP "0d1a5f0e-0000-8000-8000-000000000002"
#define BOT "edf826b8-1b75-4f57-bd26-641c897f9c1e"
#define NOW INT64_C(1767225600000000)

static char folder[64];
static struct config config;
static struct store_pool *pool;
static struct db *db;
static struct arena arena;
static struct end_user_row rider;

#define OK(call) ck_assert_int_eq((call), ERR_NONE)

static void
setup(void)
{
	(void)snprintf(folder, sizeof(folder), "/tmp/parlance-rows-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	memset(&config, 0, sizeof(config));
	config.server.state = folder;
	config.server.busy_timeout_ms = 5000;
	pool = store_pool_new(&config, 1);
	arena_init(&arena, 16 * 1024 * 1024);
	OK(store_lease(pool, &db));
	OK(end_users_ensure(db, APP, SPAN("rider-7"), false, NOW, &arena,
	    &rider));
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

static const char *
new_id(void)
{
	char id[UUID_TEXT];

	OK(uuid_random(id));
	return arena_strdup(&arena, id);
}

static struct conversation_row
add_conversation(int64_t end_user, int64_t at_us)
{
	struct conversation_row c = {
	    .id = new_id(),
	    .name = SPAN(CONVERSATION_NEW_NAME),
	    .inputs = SPAN("{}"),
	    .created_us = at_us,
	    .updated_us = at_us,
	};

	OK(conversations_add(db, end_user, &c));
	ck_assert_int_gt(c.seq, 0);
	return c;
}

static struct message_row
add_message(int64_t conversation, const char *query)
{
	struct message_row m = {
	    .id = new_id(),
	    .conversation = conversation,
	    .end_user = rider.seq,
	    .created_us = NOW,
	    .inputs = SPAN("{}"),
	    .query = span_of(query),
	};

	OK(messages_add(db, BOT, &m));
	return m;
}

static void
finish(struct message_row *m, enum message_state state, const char *answer)
{
	m->state = state;
	m->answer = span_of(answer);
	m->error = state == MESSAGE_ERROR ? "it broke" : NULL;
	m->resources = SPAN("[{\"position\":1}]");
	m->prompt_tokens = 40;
	m->answer_tokens = 6;
	m->latency_s = 0.8312;
	m->total_price = "0.0000520";
	m->currency = "USD";
	OK(messages_finish(db, m));
}

START_TEST(an_end_user_is_made_once_and_known_in_its_app_only)
{
	struct end_user_row again, other;

	OK(end_users_ensure(db, APP, SPAN("rider-7"), false, NOW + 5, &arena,
	    &again));
	ck_assert_int_eq(again.seq, rider.seq);
	ck_assert_str_eq(again.id, rider.id);
	ck_assert_int_eq(again.created_us, NOW);
	ck_assert_int_eq(end_users_find(db, OTHER_APP, SPAN("rider-7"),
	    &arena, &other), ERR_NOT_FOUND);
	ck_assert_int_eq(other.seq, 0);
	OK(end_users_get(db, APP, span_of(rider.id), &arena, &other));
	ck_assert(span_is(other.name, "rider-7"));
	ck_assert_int_eq(end_users_get(db, OTHER_APP, span_of(rider.id),
	    &arena, &other), ERR_NOT_FOUND);
}
END_TEST

START_TEST(a_conversation_is_found_by_its_owner_until_deleted)
{
	struct conversation_row c = add_conversation(rider.seq, NOW), found;
	struct end_user_row other;

	OK(end_users_ensure(db, APP, SPAN("other"), false, NOW, &arena,
	    &other));
	OK(conversations_find(db, rider.seq, span_of(c.id), &arena, &found));
	ck_assert(span_is(found.name, "New conversation"));
	ck_assert(span_is(found.inputs, "{}"));
	ck_assert(span_is(found.introduction, ""));
	ck_assert_int_eq(conversations_find(db, other.seq, span_of(c.id),
	    &arena, &found), ERR_NOT_FOUND);
	OK(conversations_delete(db, c.seq));
	ck_assert_int_eq(conversations_find(db, rider.seq, span_of(c.id),
	    &arena, &found), ERR_NOT_FOUND);
	ck_assert_int_eq(conversations_delete(db, c.seq), ERR_NOT_FOUND);
	ck_assert_int_eq(conversations_touch(db, c.seq, NOW), ERR_NOT_FOUND);
}
END_TEST

START_TEST(a_title_never_replaces_a_name_given_by_hand)
{
	struct conversation_row c = add_conversation(rider.seq, NOW), found;

	OK(conversations_title(db, c.seq, SPAN("Moons"), false));
	OK(conversations_find(db, rider.seq, span_of(c.id), &arena, &found));
	ck_assert(span_is(found.name, "Moons"));
	ck_assert_int_eq(found.updated_us, NOW);
	OK(conversations_rename(db, c.seq, SPAN("Mine"), NOW + 9));
	OK(conversations_title(db, c.seq, SPAN("Late"), false));
	OK(conversations_find(db, rider.seq, span_of(c.id), &arena, &found));
	ck_assert(span_is(found.name, "Mine"));
	ck_assert_int_eq(found.updated_us, NOW + 9);
	OK(conversations_title(db, c.seq, SPAN("Asked"), true));
	OK(conversations_find(db, rider.seq, span_of(c.id), &arena, &found));
	ck_assert(span_is(found.name, "Asked"));
}
END_TEST

/* Pages of 3 through 10 conversations, most of one instant: each once. */
START_TEST(pages_of_conversations_neither_skip_nor_repeat)
{
	const struct conversation_row *after = NULL;
	struct conversation_row *rows;
	int64_t seen[10], last = 0, time;
	size_t n, total = 0, i, j;
	bool more = true;

	for (i = 0; i < 10; i++)
		(void)add_conversation(rider.seq, NOW + (i == 4) - (i == 7));
	while (more) {
		OK(conversations_page(db, rider.seq,
		    (enum conversation_order)_i, after, 3, &arena, &rows, &n,
		    &more));
		ck_assert_uint_eq(n, more ? 3 : 1);
		for (i = 0; i < n; i++) {
			time = rows[i].created_us;
			if (total > 0 && (_i & 1) == 0)
				ck_assert_int_ge(time, last);
			else if (total > 0)
				ck_assert_int_le(time, last);
			last = time;
			for (j = 0; j < total; j++)
				ck_assert_int_ne(seen[j], rows[i].seq);
			seen[total++] = rows[i].seq;
		}
		after = &rows[n - 1];
	}
	ck_assert_uint_eq(total, 10);
}
END_TEST

START_TEST(a_finished_message_gives_back_all_that_was_stored)
{
	struct conversation_row c = add_conversation(rider.seq, NOW);
	struct message_row m = add_message(c.seq, "Two moons?"), found;

	finish(&m, MESSAGE_NORMAL, "Phobos and Deimos.");
	OK(messages_find(db, rider.seq, span_of(m.id), &arena, &found));
	ck_assert_str_eq(found.conversation_id, c.id);
	ck_assert_int_eq(found.state, MESSAGE_NORMAL);
	ck_assert(span_is(found.answer, "Phobos and Deimos."));
	ck_assert_ptr_null(found.error);
	ck_assert(span_is(found.resources, "[{\"position\":1}]"));
	ck_assert_int_eq(found.prompt_tokens, 40);
	ck_assert_int_eq(found.answer_tokens, 6);
	ck_assert_double_eq(found.latency_s, 0.8312);
	ck_assert_str_eq(found.total_price, "0.0000520");
	ck_assert_str_eq(found.currency, "USD");
	ck_assert_int_eq(messages_finish(db, &m), ERR_CONFLICT);
	OK(conversations_delete(db, c.seq));
	ck_assert_int_eq(messages_find(db, rider.seq, span_of(m.id),
	    &arena, &found), ERR_NOT_FOUND);
}
END_TEST

START_TEST(a_running_message_of_a_program_that_gave_no_name_is_an_error)
{
	struct conversation_row c = add_conversation(rider.seq, NOW);
	struct message_row m = add_message(c.seq, "Anyone?"), found;

	OK(messages_find(db, rider.seq, span_of(m.id), &arena, &found));
	ck_assert_int_eq(found.state, MESSAGE_RUNNING);
	OK(db_exec(db, "UPDATE messages SET owner = NULL"));
	OK(messages_find(db, rider.seq, span_of(m.id), &arena, &found));
	ck_assert_int_eq(found.state, MESSAGE_ERROR);
	ck_assert_str_eq(found.error, MESSAGE_LOST);
}
END_TEST

/* The row is signed by a process that has ended by then. */
START_TEST(a_running_message_of_a_dead_process_is_an_error_at_once)
{
	struct conversation_row c = add_conversation(rider.seq, NOW);
	struct message_row m, found;
	struct db_stmt *s;
	char name[512];
	int fds[2];
	ssize_t n;
	pid_t pid;

	/* Before this process asks for its own name, which it keeps. */
	ck_assert_int_eq(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		n = write(fds[1], process_self(), strlen(process_self()));
		_exit(n < 0);
	}
	n = read(fds[0], name, sizeof(name) - 1);
	ck_assert_int_gt(n, 0);
	name[n] = '\0';
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	m = add_message(c.seq, "Anyone?");
	s = db_prepare(db, "UPDATE messages SET owner = ?");
	db_bind_cstring(s, 1, name);
	OK(db_run(s));
	OK(messages_find(db, rider.seq, span_of(m.id), &arena, &found));
	ck_assert_int_eq(found.state, MESSAGE_ERROR);
	ck_assert_str_eq(found.error, MESSAGE_LOST);
}
END_TEST

START_TEST(pages_of_messages_go_back_in_time_and_read_forwards)
{
	struct conversation_row c = add_conversation(rider.seq, NOW);
	struct message_row m[7], *rows;
	int64_t before;
	size_t n, i;
	bool more;

	for (i = 0; i < 7; i++)
		m[i] = add_message(c.seq, "q");
	OK(messages_page(db, c.seq, 0, 3, &arena, &rows, &n, &more));
	ck_assert_uint_eq(n, 3);
	ck_assert(more);
	for (i = 0; i < 3; i++)
		ck_assert_str_eq(rows[i].id, m[4 + i].id);
	OK(messages_seq(db, c.seq, span_of(rows[0].id), &before));
	OK(messages_page(db, c.seq, before, 4, &arena, &rows, &n, &more));
	ck_assert_uint_eq(n, 4);
	ck_assert(!more);
	ck_assert_str_eq(rows[0].id, m[0].id);
	ck_assert_int_eq(messages_seq(db, c.seq + 1, span_of(rows[0].id),
	    &before), ERR_NOT_FOUND);
}
END_TEST

START_TEST(history_leaves_out_empty_failed_and_running_answers)
{
	struct conversation_row c = add_conversation(rider.seq, NOW);
	struct message_row m;
	struct message_pair *pairs;
	size_t n;

	m = add_message(c.seq, "first");
	finish(&m, MESSAGE_NORMAL, "one");
	m = add_message(c.seq, "failed");
	finish(&m, MESSAGE_ERROR, "");
	m = add_message(c.seq, "stopped at once");
	finish(&m, MESSAGE_NORMAL, "");
	(void)add_message(c.seq, "running");
	m = add_message(c.seq, "last");
	finish(&m, MESSAGE_NORMAL, "two");
	OK(messages_history(db, c.seq, 0, 500, 1000, &arena, &pairs, &n));
	ck_assert_uint_eq(n, 2);
	ck_assert(span_is(pairs[0].query, "first"));
	ck_assert(span_is(pairs[1].answer, "two"));
	OK(messages_history(db, c.seq, m.seq, 500, 1000, &arena, &pairs, &n));
	ck_assert_uint_eq(n, 1);
	OK(messages_history(db, c.seq, 0, 1, 1000, &arena, &pairs, &n));
	ck_assert_uint_eq(n, 1);
	ck_assert(span_is(pairs[0].query, "last"));
	/* "last" and "two" are 7 bytes: "first" and "one" do not fit. */
	OK(messages_history(db, c.seq, 0, 500, 14, &arena, &pairs, &n));
	ck_assert_uint_eq(n, 1);
	ck_assert(span_is(pairs[0].query, "last"));
}
END_TEST

START_TEST(feedback_is_one_row_replaced_and_removed)
{
	struct conversation_row c = add_conversation(rider.seq, NOW);
	struct message_row m = add_message(c.seq, "q"), found;
	struct feedback_row *rows;
	size_t n;

	ck_assert_int_eq(feedback_remove(db, m.seq, rider.seq),
	    ERR_NOT_FOUND);
	OK(feedback_set(db, APP, m.seq, rider.seq, "like", SPAN("nice"), NOW));
	OK(feedback_set(db, APP, m.seq, rider.seq, "dislike", SPAN_NONE,
	    NOW + 1));
	OK(feedback_page(db, APP, 0, 20, &arena, &rows, &n));
	ck_assert_uint_eq(n, 1);
	ck_assert_str_eq(rows[0].rating, "dislike");
	ck_assert_ptr_null(rows[0].content.data);
	ck_assert_int_eq(rows[0].created_us, NOW);
	ck_assert_int_eq(rows[0].updated_us, NOW + 1);
	ck_assert_str_eq(rows[0].message_id, m.id);
	ck_assert_str_eq(rows[0].conversation_id, c.id);
	ck_assert_str_eq(rows[0].end_user_id, rider.id);
	OK(messages_find(db, rider.seq, span_of(m.id), &arena, &found));
	ck_assert_str_eq(found.rating, "dislike");
	OK(feedback_page(db, OTHER_APP, 0, 20, &arena, &rows, &n));
	ck_assert_uint_eq(n, 0);
	OK(feedback_remove(db, m.seq, rider.seq));
	OK(feedback_page(db, APP, 0, 20, &arena, &rows, &n));
	ck_assert_uint_eq(n, 0);
}
END_TEST

START_TEST(a_file_is_its_uploaders_and_knows_whether_it_is_used)
{
	struct conversation_row c = add_conversation(rider.seq, NOW);
	struct message_row m = add_message(c.seq, "q");
	struct file_row file = {.id = new_id(), .name = SPAN("sky.png"),
	    .extension = "png", .mime_type = "image/png", .size = 1024,
	    .created_us = NOW}, found;
	struct message_file_row used = {.id = new_id(), .type = "image",
	    .transfer_method = "local_file"}, *rows;
	bool same_app, referenced;
	size_t n;

	OK(files_add(db, APP, rider.seq, &file));
	OK(files_find(db, rider.seq, span_of(file.id), &arena, &found));
	ck_assert_str_eq(found.end_user_id, rider.id);
	ck_assert_int_eq(found.size, 1024);
	ck_assert_int_eq(files_find(db, rider.seq + 1, span_of(file.id),
	    &arena, &found), ERR_NOT_FOUND);
	OK(files_lookup(db, OTHER_APP, span_of(file.id), &arena, &found,
	    &same_app, &referenced));
	ck_assert(!same_app && !referenced);
	used.file = file.seq;
	OK(message_files_add(db, m.seq, &used));
	OK(files_lookup(db, APP, span_of(file.id), &arena, &found, &same_app,
	    &referenced));
	ck_assert(same_app && referenced);
	OK(message_files_list(db, m.seq, 10, &arena, &rows, &n));
	ck_assert_uint_eq(n, 1);
	ck_assert_str_eq(rows[0].file_id, file.id);
	ck_assert(span_is(rows[0].name, "sky.png"));
	ck_assert_ptr_null(rows[0].url);
}
END_TEST

static bool
count_each(const struct annotation_row *row, void *closure)
{
	ck_assert_ptr_nonnull(row->key.data);
	return ++*(int *)closure < 2;
}

START_TEST(annotations_are_listed_counted_searched_and_changed)
{
	struct annotation_row a = {.question = SPAN("100% sure?"),
	    .key = SPAN("100 sure"), .answer = SPAN("Yes"), .created_us = NOW},
	    b = a, *rows;
	int64_t total;
	size_t n;
	int seen = 0;

	a.id = new_id();
	OK(annotations_add(db, BOT, &a));
	b.id = new_id();
	b.question = SPAN("100 others");
	OK(annotations_add(db, BOT, &b));
	OK(annotations_page(db, BOT, SPAN("0%"), 0, 20, &arena, &rows, &n,
	    &total));
	ck_assert_uint_eq(n, 1);
	ck_assert_int_eq(total, 1);
	ck_assert_str_eq(rows[0].id, a.id);
	OK(annotations_page(db, BOT, SPAN_NONE, 1, 20, &arena, &rows, &n,
	    &total));
	ck_assert_uint_eq(n, 1);
	ck_assert_int_eq(total, 2);
	ck_assert_str_eq(rows[0].id, a.id);
	OK(annotations_each(db, BOT, count_each, &seen));
	ck_assert_int_eq(seen, 2);
	OK(annotations_hit(db, a.seq));
	a.answer = SPAN("No");
	OK(annotations_update(db, &a));
	OK(annotations_find(db, BOT, span_of(a.id), &arena, &b));
	ck_assert(span_is(b.answer, "No"));
	ck_assert_int_eq(b.hit_count, 1);
	OK(annotations_delete(db, BOT, span_of(a.id)));
	ck_assert_int_eq(annotations_delete(db, BOT, span_of(a.id)),
	    ERR_NOT_FOUND);
}
END_TEST

START_TEST(annotation_reply_is_unset_then_what_was_set)
{
	const char *job = new_id();
	double threshold = 0;
	bool enabled = false;

	ck_assert_int_eq(annotation_reply_get(db, BOT, &enabled, &threshold),
	    ERR_NOT_FOUND);
	OK(annotation_reply_set(db, BOT, true, 0.9));
	OK(annotation_reply_set(db, BOT, true, 0.8));
	OK(annotation_reply_get(db, BOT, &enabled, &threshold));
	ck_assert(enabled);
	ck_assert_double_eq(threshold, 0.8);
	OK(annotation_jobs_add(db, job, BOT, "enable", NOW));
	OK(annotation_jobs_find(db, span_of(job), BOT, "enable"));
	ck_assert_int_eq(annotation_jobs_find(db, span_of(job), BOT,
	    "disable"), ERR_NOT_FOUND);
}
END_TEST

static int
count_step(void *steps)
{
	++*(int *)steps;
	return 0;
}

#define MANY 5000
#define NUMBERS                                                                \
	"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL "                          \
	"SELECT i + 1 FROM n WHERE i < 5000) "

/* Steps of SQLite's machine for each of the many rows that are skipped: what
 * reads nothing but an index takes three. */
START_TEST(deep_pages_skip_in_an_index)
{
	struct message_row m =
	    add_message(add_conversation(rider.seq, NOW).seq, "q");
	struct annotation_row *annotations;
	struct feedback_row *rows;
	int64_t total;
	int steps = 0;
	size_t n;

	OK(feedback_set(db, APP, m.seq, rider.seq, "like", SPAN("x"), NOW));
	OK(db_exec(db, NUMBERS "INSERT INTO annotations (id, bot, question, "
	    "question_key, answer, hit_count, created_us) "
	    "SELECT i, '" BOT "', 'q' || i, 'q', 'a', 0, i FROM n"));
	OK(db_exec(db, NUMBERS "INSERT INTO end_users (seq, id, app, name, "
	    "anonymous, created_us, updated_us) "
	    "SELECT 100 + i, i, '" APP "', i, 0, 0, 0 FROM n"));
	OK(db_exec(db, NUMBERS "INSERT INTO feedback (id, app, message, "
	    "end_user, rating, created_us, updated_us) SELECT i, app, "
	    "message, 100 + i, rating, created_us - i, 0 FROM feedback, n"));
	sqlite3_progress_handler(db_native(db), 1, count_step, &steps);
	OK(feedback_page(db, APP, MANY - 10, 20, &arena, &rows, &n));
	ck_assert_int_lt(steps, 4 * MANY);
	ck_assert_uint_eq(n, 11);
	ck_assert_int_eq(rows[10].created_us, NOW - MANY);
	steps = 0;
	OK(annotations_page(db, BOT, SPAN_NONE, MANY - 10, 20, &arena,
	    &annotations, &n, &total));
	ck_assert_int_lt(steps, 7 * MANY); /* they are counted too */
	ck_assert_uint_eq(n, 10);
	ck_assert_int_eq(total, MANY);
	sqlite3_progress_handler(db_native(db), 0, NULL, NULL);
}
END_TEST

/* Two thousand rows in the tables, an arena for some thirty. */
START_TEST(pages_of_datasets_cost_themselves)
{
	struct dataset_document_row document = {.dataset = "d", .batch = "b",
	    .name = "n", .file_name = "f.md", .doc_form = "text_model",
	    .content = SPAN("text"), .created_us = NOW};
	struct datasets_filter filter = {.keyword = SPAN("E1")};
	struct dataset_document_row *documents;
	struct dataset_row *rows;
	struct arena small;
	char id[16], name[16];
	int64_t total;
	size_t n;
	int i;

	OK(db_begin(db));
	for (i = 0; i < 2000; i++) {
		struct dataset_row row = {.id = id, .name = name,
		    .description = "", .permission = "only_me"};

		(void)snprintf(id, sizeof(id), "id%d", i);
		(void)snprintf(name, sizeof(name), "name%d", i);
		OK(datasets_add(db, &row));
		document.id = id;
		OK(dataset_documents_add(db, &document));
	}
	OK(db_commit(db));
	arena_init(&small, 8192);
	OK(datasets_page(db, &filter, 1, 20, &small, &rows, &n, &total));
	ck_assert_uint_eq(n, 20);
	ck_assert_int_eq(total, 1111);
	ck_assert_str_eq(rows[0].name, "name1998");
	arena_release(&small);
	OK(dataset_documents_batch(db, "d", "b", 1990, 20, &small, &documents,
	    &n));
	ck_assert_uint_eq(n, 10);
	ck_assert_str_eq(documents[0].id, "id1990");
	OK(dataset_documents_ids(db, 20, 20, &small, &documents, &n));
	ck_assert_uint_eq(n, 20);
	ck_assert_str_eq(documents[0].id, "id20");
	arena_release(&small);
}
END_TEST

Suite *
rows_suite(void)
{
	Suite *s = suite_create("rows");
	TCase *t = tcase_create("rows");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, an_end_user_is_made_once_and_known_in_its_app_only);
	tcase_add_test(t, a_conversation_is_found_by_its_owner_until_deleted);
	tcase_add_test(t, a_title_never_replaces_a_name_given_by_hand);
	tcase_add_loop_test(t, pages_of_conversations_neither_skip_nor_repeat,
	    0, 4);
	tcase_add_test(t, a_finished_message_gives_back_all_that_was_stored);
	tcase_add_test(t,
	    a_running_message_of_a_program_that_gave_no_name_is_an_error);
	tcase_add_test(t,
	    a_running_message_of_a_dead_process_is_an_error_at_once);
	tcase_add_test(t, pages_of_messages_go_back_in_time_and_read_forwards);
	tcase_add_test(t, history_leaves_out_empty_failed_and_running_answers);
	tcase_add_test(t, feedback_is_one_row_replaced_and_removed);
	tcase_add_test(t, a_file_is_its_uploaders_and_knows_whether_it_is_used);
	tcase_add_test(t, annotations_are_listed_counted_searched_and_changed);
	tcase_add_test(t, annotation_reply_is_unset_then_what_was_set);
	tcase_add_test(t, deep_pages_skip_in_an_index);
	tcase_add_test(t, pages_of_datasets_cost_themselves);
	suite_add_tcase(s, t);
	return s;
}
