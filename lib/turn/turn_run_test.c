/* A view of its own, built from the table alone, and lives of its turns. */
#include "turn/turn_run.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "config/config.h"
#include "config/config_file.h"
#include "http/gateway_memory.h"
#include "http/router.h"

Suite *turn_run_suite(void);

/* ---- the view ------------------------------------------------------------ */

/* Lines of text: "> word", "." at the end, "! why" instead. */
struct line_answer {
	struct turn_run run; /* first */
	int rows;            /* stored at the start */
};

static int ended; /* answers whose end was stored */

static enum err
rows_start(struct turn_run *r, struct db *db)
{
	(void)db;
	((struct line_answer *)r)->rows++;
	return r->setup.question.len > 20 ? ERR_NOT_FOUND : ERR_NONE;
}

static enum err
refuse_start(struct turn_run *r, enum err why)
{
	response_status(&r->x->response, 404);
	return why == ERR_NOT_FOUND
	    ? response_send(&r->x->response, "text/plain", SPAN("! gone\n"))
	    : why;
}

static void *
note_end(struct turn_run *r, size_t *size)
{
	*size = 0;
	return r;
}

static enum err
rows_end(struct db *db, void *note)
{
	(void)db;
	(void)note;
	ended++;
	return ERR_NONE;
}

static enum err
refuse(struct turn_run *r, const struct limits_verdict *v)
{
	enum err err;

	response_status(&r->x->response, 429);
	err = response_send(&r->x->response, "text/plain",
	    span_of(limits_text(v->refusal)));
	return err == ERR_NONE ? ERR_ANSWERED : err;
}

static void
write_delta(struct turn_run *r, struct span text, struct buf *out)
{
	(void)r;
	buf_printf(out, "> %.*s\n", (int)text.len, text.data);
}

static void
write_end(struct turn_run *r, struct buf *out)
{
	if (!r->stream)
		write_delta(r, r->result.answer, out);
	buf_adds(out, r->result.stopped ? ". stopped\n" : ".\n");
}

static void
write_fault(struct turn_run *r, struct buf *out)
{
	buf_printf(out, "! %s\n", r->fault.message);
}

static void
write_broken(struct turn_run *r, char out[TURN_BROKEN_MAX])
{
	(void)r;
	(void)snprintf(out, TURN_BROKEN_MAX, "! no memory\n");
}

static enum err
refuse_fault(struct turn_run *r)
{
	response_status(&r->x->response, 502);
	return response_send(&r->x->response, "text/plain",
	    span_of(r->fault.message));
}

static const struct turn_view view = {
    .name = "lines",
    .ping = {"-\n", 2},
    .empty_text = "Nothing was said.",
    .rows_start = rows_start,
    .refuse_start = refuse_start,
    .note_end = note_end,
    .rows_end = rows_end,
    .refuse = refuse,
    .delta = write_delta,
    .end = write_end,
    .fail = write_fault,
    .broken = write_broken,
    .refuse_fault = refuse_fault,
};

/* ---- its turns ----------------------------------------------------------- */

static const char conf[] =
    "[engine canned]\nkind = replay\nrecordings = canned.json\n"
    "[bot b]\nuid = edf826b8-1b75-4f57-bd26-641c897f9c1e\nname = B\n"
    "engine = canned\n";
static const struct key_config key = {.name = "k", .concurrent = 1};
static const char recordings[] =
    "{\"recordings\": ["
    "{\"question\": \"hello\", \"answer\": [\"good\", \"day\"]},"
    "{\"question\": \"half\", \"answer\": [\"half\"], \"fault\": \"cut\"},"
    "{\"question\": \"none\", \"answer\": [], \"fault\": \"quota\","
    " \"message\": \"used up\"},"
    "{\"question\": \"slow\", \"answer\": [\"a\", \"b\"],"
    " \"pace_ms\": 45000}]}";

static char folder[64];
static struct config *config;
static struct store_pool *pool;
static struct engine_worker *worker;
static struct arena arena;
static struct exchange x;
static struct gateway_memory memory;
static struct line_answer *line;
static int64_t now_ms;
static int works; /* jobs of the last turn */

static void
write_file(const char *name, const char *text)
{
	char path[128];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	(void)fputs(text, f);
	(void)fclose(f);
}

static void
set_up(void)
{
	struct buf faults = BUF_INIT(65536);
	char path[128];

	(void)snprintf(folder, sizeof(folder), "/tmp/parlance-run-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	(void)setenv("PARLANCE_STATE", folder, 1);
	write_file("canned.json", recordings);
	write_file("parlance.conf", conf);
	(void)snprintf(path, sizeof(path), "%s/parlance.conf", folder);
	ck_assert_msg(config_read(path, &config, &faults) == ERR_NONE, "%s",
	    buf_text(&faults));
	buf_release(&faults);
	pool = store_pool_new(config, 1);
	worker = engine_worker_new(config);
	ended = 0;
	now_ms = clock_monotonic_ms();
	arena_init(&arena, (size_t)8 << 20);
}

static void
tear_down(void)
{
	char command[128];

	engine_worker_free(worker);
	store_pool_free(pool);
	config_free(config);
	arena_release(&arena);
	(void)unsetenv("PARLANCE_STATE");
	(void)snprintf(command, sizeof(command), "rm -rf %s", folder);
	ck_assert_int_eq(system(command), 0);
}

/* A turn that has taken no step yet. */
static void
begin(const char *question, bool stream)
{
	static const char *const params[] = {NULL};
	struct turn_run *r;

	works = 0;
	gateway_memory_init(&memory, params, SPAN_NONE);
	memset(&x, 0, sizeof(x));
	x.config = config;
	x.stores = pool;
	x.worker = worker;
	x.request.arena = &arena;
	response_init(&x.response, &memory.gateway, "id", false);
	line = arena_alloc(&arena, sizeof(*line));
	r = &line->run;
	turn_run_init(r, &x, &view, &config->bots[0]);
	line->rows = 0;
	r->stream = stream;
	r->ask.key = &key;
	r->ask.bot = r->setup.bot;
	r->setup.question = span_of(question);
	ck_assert_int_eq(turn_run_begin(r), ERR_NONE);
}

/* Steps on until it is over, or has nothing to do before that time. */
static bool
drive_until(int64_t ms)
{
	struct interests in;
	enum answer_state state;

	while ((state = answer_step(x.answer, now_ms, NULL)) != ANSWER_DONE) {
		if (state == ANSWER_WORK) {
			works++;
			answer_work(x.answer);
			continue;
		}
		interests_none(&in);
		x.answer->ops->interests(x.answer, &in);
		if (in.wake_ms > ms) {
			now_ms = ms;
			return false;
		}
		if (in.wake_ms > now_ms)
			now_ms = in.wake_ms;
	}
	return true;
}

static void
finish(int status, const char *body)
{
	ck_assert(drive_until(INTERESTS_NEVER));
	if (body != NULL) {
		ck_assert_int_eq(gateway_memory_status(&memory), status);
		ck_assert_str_eq(buf_text(&memory.output) +
			(memory.output.len -
			    gateway_memory_body(&memory).len), body);
	}
	x.answer->ops->release(x.answer);
	response_release(&x.response);
	gateway_memory_release(&memory);
}

static int64_t
count(const char *sql)
{
	struct db_stmt *s;
	struct db *db;
	int64_t n = -1;
	bool row;

	ck_assert_int_eq(store_lease(pool, &db), ERR_NONE);
	s = db_prepare(db, sql);
	if (db_step(s, &row) == ERR_NONE && row)
		n = db_int(s, 0);
	db_done(s);
	store_return(pool, db);
	return n;
}

#define RESERVED "SELECT count(DISTINCT id) FROM limit_holds"

static const struct {
	const char *question;
	bool stream;
	int status;
	const char *body;
	int ended;
} lives[] = {
    {"hello", true, 200, "> good\n> day\n.\n", 1},
    {"hello", false, 200, "> goodday\n.\n", 1},
    {"half", true, 200, "> half\n! The model's answer broke off.\n", 1},
    {"half", false, 502, "The model's answer broke off.", 1},
    {"none", true, 502, "used up", 1},
    {"slow", true, 200, "> a\n-\n-\n-\n-\n> b\n.\n", 1},
    {"a row that is gone since", true, 404, "! gone\n", 0},
};

START_TEST(a_life_is_told_by_the_table)
{
	begin(lives[_i].question, lives[_i].stream);
	finish(lives[_i].status, lives[_i].body);
	ck_assert_int_eq(line->rows, 1);
	ck_assert_int_eq(ended, lives[_i].ended);
	ck_assert_int_eq(count(RESERVED), 0);
}
END_TEST

START_TEST(search_and_reservation_are_one_job_the_end_another)
{
	begin("hello", true);
	finish(200, NULL);
	ck_assert_int_eq(works, 2);
}
END_TEST

START_TEST(what_runs_is_reserved_and_shows_signs_of_life)
{
	begin("slow", true);
	ck_assert(!drive_until(now_ms + 30000));
	ck_assert_int_eq(count(RESERVED), 1);
	ck_assert_int_eq(works, 2); /* with a heartbeat */
	finish(200, NULL);
}
END_TEST

START_TEST(one_too_many_is_refused)
{
	struct exchange first;
	struct gateway_memory first_memory;

	begin("slow", true);
	ck_assert(!drive_until(now_ms));
	first = x;
	first_memory = memory;
	begin("hello", true);
	ck_assert_int_eq(turn_run_check(&line->run, NULL, &key, NULL),
	    ERR_ANSWERED);
	response_release(&x.response);
	gateway_memory_release(&memory);
	x.answer->ops->release(x.answer);
	begin("hello", true);
	finish(429, limits_text(LIMITS_CONCURRENT));
	ck_assert_int_eq(line->rows, 0);
	first.answer->ops->release(first.answer);
	response_release(&first.response);
	gateway_memory_release(&first_memory);
}
END_TEST

START_TEST(a_client_that_leaves_ends_it_and_its_end_is_stored)
{
	begin("slow", true);
	ck_assert(!drive_until(now_ms + 1000));
	answer_gone(x.answer);
	finish(200, NULL);
	ck_assert(line->run.result.stopped);
	ck_assert_int_eq(ended, 1);
	ck_assert_int_eq(count(RESERVED), 0);
}
END_TEST

START_TEST(a_mark_that_is_left_during_a_job_is_found_after_it)
{
	begin("hello", true);
	ck_assert_int_eq(answer_step(x.answer, now_ms, NULL), ANSWER_WORK);
	answer_gone(x.answer);
	ck_assert(!turn_run_gone(&line->run));
	answer_work(x.answer);
	finish(200, NULL);
	ck_assert(turn_run_gone(&line->run));
	ck_assert_int_eq(count(RESERVED), 0);
}
END_TEST

START_TEST(the_cap_ends_it)
{
	begin("slow", true);
	line->run.limit_ms = 5000;
	finish(200, "> a\n. stopped\n");
}
END_TEST

START_TEST(one_that_is_dropped_gives_back_what_it_reserved)
{
	begin("slow", false);
	ck_assert(!drive_until(now_ms + 1000));
	x.answer->ops->release(x.answer);
	response_release(&x.response);
	gateway_memory_release(&memory);
	begin("hello", true);
	finish(200, "> good\n> day\n.\n");
	ck_assert_int_eq(count(RESERVED), 0);
}
END_TEST

Suite *
turn_run_suite(void)
{
	Suite *s = suite_create("turn_run");
	TCase *t = tcase_create("turn_run");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_loop_test(t, a_life_is_told_by_the_table, 0,
	    sizeof(lives) / sizeof(lives[0]));
	tcase_add_test(t,
	    search_and_reservation_are_one_job_the_end_another);
	tcase_add_test(t, what_runs_is_reserved_and_shows_signs_of_life);
	tcase_add_test(t, one_too_many_is_refused);
	tcase_add_test(t, a_client_that_leaves_ends_it_and_its_end_is_stored);
	tcase_add_test(t, a_mark_that_is_left_during_a_job_is_found_after_it);
	tcase_add_test(t, the_cap_ends_it);
	tcase_add_test(t, one_that_is_dropped_gives_back_what_it_reserved);
	suite_add_tcase(s, t);
	return s;
}
