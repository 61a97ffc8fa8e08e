/* Against conformance/servers/fake_upstream.py, whose calls are told what to
 * do by the model's name. */
#include "engine/openai.h"

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "config/config.h"
#include "json/pyjson.h"

Suite *openai_suite(void);

static pid_t server;
static char url[128];
static struct arena arena;
static struct config config;
static struct engine_config engine;
static struct bot_config bot;
static struct engine_worker *worker;

static void
start_server(void)
{
	int out[2];
	size_t n = 0;

	ck_assert_int_eq(pipe(out), 0);
	server = fork();
	if (server == 0) {
		(void)dup2(out[1], 1);
		(void)close(out[0]);
		execl("/usr/bin/python3", "python3",
		    "conformance/servers/fake_upstream.py", (char *)NULL);
		_exit(127);
	}
	(void)close(out[1]);
	while (n < sizeof(url) - 1 && read(out[0], url + n, 1) == 1 &&
	       url[n] != '\n')
		n++;
	ck_assert_msg(url[n] == '\n', "the fake upstream does not start");
	url[n] = '\0';
	(void)close(out[0]);
}

static void
stop_server(void)
{
	(void)kill(server, SIGKILL);
	(void)waitpid(server, NULL, 0);
}

static void
set_up(void)
{
	arena_init(&arena, 1 << 24);
	engine = (struct engine_config){.name = "test",
	    .kind = "openai",
	    .url = url,
	    .key = "secret-key",
	    .tls_verify = true,
	    .connect_timeout_ms = 8000,
	    .first_byte_timeout_ms = 2500,
	    .idle_timeout_ms = 1500,
	    .total_timeout_ms = 20000,
	    .max_answer_bytes = 100000,
	    .retries = 1,
	    .include_usage = true};
	config = (struct config){.engines = &engine, .n_engines = 1};
	worker = engine_worker_new(&config);
}

static void
tear_down(void)
{
	engine_worker_free(worker);
	arena_release(&arena);
}

struct outcome {
	struct buf answer;
	struct engine_event last;
	char message[200];
	size_t deltas, waits, retracts;
};

/* Runs one question to its end, as a driver would. */
static void
ask(const char *model, struct outcome *o)
{
	static const struct chat_message prompt[] = {
	    {ROLE_SYSTEM, SPAN("You help.")}, {ROLE_USER, SPAN("Why?")}};
	struct engine_request request = {.bot = &bot,
	    .question = prompt[1].content,
	    .prompt = prompt,
	    .n_prompt = 2};
	struct interests in;
	struct engine_run *run;
	int64_t left;

	memset(o, 0, sizeof(*o));
	buf_init(&o->answer, 1 << 24);
	bot = (struct bot_config){.slug = "b", .model = model};
	ck_assert_int_eq(
	    openai_start(&engine, &request, worker, &arena, &run), ERR_NONE);
	interests_none(&in);
	for (;;) {
		run->ops->next(run, clock_monotonic_ms(), &in, &o->last);
		if (o->last.kind == ENGINE_DELTA) {
			o->deltas++;
			buf_add(&o->answer, o->last.text.data,
			    o->last.text.len);
			continue;
		}
		if (o->last.kind == ENGINE_RETRACT) {
			buf_reset(&o->answer);
			o->retracts++;
			continue;
		}
		if (o->last.kind != ENGINE_WAIT)
			break;
		interests_none(&in);
		run->ops->interests(run, &in);
		left = in.wake_ms - clock_monotonic_ms();
		ck_assert(in.wake_ms != INTERESTS_NEVER);
		(void)poll(in.fds, in.n, left < 0 ? 0 : (int)left);
		o->waits++;
	}
	if (o->last.kind == ENGINE_ERROR)
		(void)snprintf(o->message, sizeof(o->message), "%s",
		    o->last.message);
	run->ops->free(run);
}

static const struct {
	const char *model, *answer;
	enum engine_fault fault; /* FAULT_NONE: it ends well */
} cases[] = {
    {"tokens=3", "w0 w1 w2 ", FAULT_NONE},
    {"tokens=3 pace_ms=30 split=1", "w0 w1 w2 ", FAULT_NONE},
    {"tokens=3 split=7", "w0 w1 w2 ", FAULT_NONE},
    {"tokens=3 slow_head_ms=100", "w0 w1 w2 ", FAULT_NONE},
    {"tokens=2 usage=no", "w0 w1 ", FAULT_NONE},
    {"tokens=2 stream=no", "w0 w1 ", FAULT_NONE},
    {"tokens=2 refuse_usage=yes", "w0 w1 ", FAULT_NONE},
    {"fault=fin", "", FAULT_CUT},
    {"fault=fin after=2", "w0 w1 ", FAULT_CUT},
    {"fault=rst after=2", "w0 w1 ", FAULT_CUT},
    {"fault=close_cut after=2", "w0 w1 ", FAULT_CUT},
    {"fault=clean_cut after=2", "w0 w1 ", FAULT_CUT},
    {"fault=stall after=2", "w0 w1 ", FAULT_TIMEOUT},
    {"fault=stall", "", FAULT_TIMEOUT},
    {"first_ms=6000", "", FAULT_TIMEOUT},
    {"slow_head_ms=6000", "", FAULT_TIMEOUT},
    {"fault=bad_json after=1", "w0 ", FAULT_MALFORMED},
    {"fault=not_chat after=1", "w0 ", FAULT_CUT},
    {"fault=type", "", FAULT_MALFORMED},
    {"fault=redirect", "", FAULT_ADDRESS},
    {"fault=error after=1", "w0 ", FAULT_REFUSED},
    {"fault=error", "", FAULT_REFUSED},
    {"fault=error_type after=1", "w0 ", FAULT_REFUSED},
    {"fault=huge after=1", "w0 ", FAULT_TOO_BIG},
    {"fault=no_answer", "", FAULT_CUT},
    {"fault=empty", "", FAULT_NONE},
    {"status=400", "", FAULT_REFUSED},
    {"status=401", "", FAULT_CREDENTIALS},
    {"status=403", "", FAULT_CREDENTIALS},
    {"status=404", "", FAULT_ADDRESS},
    {"status=404 code=model_not_found", "", FAULT_MODEL},
    {"status=402", "", FAULT_QUOTA},
    {"status=429", "", FAULT_RATE_LIMIT},
    {"status=429 code=insufficient_quota", "", FAULT_QUOTA},
    {"status=429 retry_after=60", "", FAULT_RATE_LIMIT},
    {"status=500", "", FAULT_UNREACHABLE},
    {"status=503", "", FAULT_UNREACHABLE},
    {"status=503 times=1", "w0 w1 w2 ", FAULT_NONE},
    {"status=429 times=1 retry_after=1", "w0 w1 w2 ", FAULT_NONE},
};

START_TEST(every_ending_is_told_as_it_is)
{
	struct outcome o;

	if (strstr(cases[_i].model, "huge") != NULL)
		engine.idle_timeout_ms = 15000; /* its making takes long */
	ask(cases[_i].model, &o);
	ck_assert_msg(strcmp(buf_text(&o.answer), cases[_i].answer) == 0,
	    "%s: answer %s", cases[_i].model, buf_text(&o.answer));
	ck_assert_msg(o.last.fault == cases[_i].fault, "%s: fault %d (%s)",
	    cases[_i].model, o.last.fault, o.message);
	ck_assert_msg(
	    (o.last.kind == ENGINE_ERROR) == (o.last.fault != FAULT_NONE),
	    "%s: kind %d", cases[_i].model, o.last.kind);
	ck_assert_msg(strstr(o.message, "secret") == NULL &&
			  strstr(o.message, "127.0.0.1") == NULL,
	    "%s", o.message);
	ck_assert_msg(o.waits < 2000, "%s: %zu waits", cases[_i].model,
	    o.waits);
	buf_release(&o.answer);
}
END_TEST

/* ---- fixtures/upstream/shapes.json --------------------------------------- */

static struct arena shapes_arena;
static const struct pyjson *shapes;

static size_t
read_shapes(void)
{
	static struct buf text = BUF_INIT(1 << 24);
	char bytes[65536];
	FILE *f = fopen("fixtures/upstream/shapes.json", "rbe");
	size_t n;

	if (f == NULL)
		return 1; /* and that one fails */
	while ((n = fread(bytes, 1, sizeof(bytes), f)) > 0)
		buf_add(&text, bytes, n);
	(void)fclose(f);
	arena_init(&shapes_arena, 1 << 26);
	if (pyjson_decode(&shapes_arena, (struct span){text.data, text.len},
		NULL, &shapes, NULL) != ERR_NONE)
		return 1;
	return pyjson_count(shapes);
}

static enum engine_fault
fault_called(struct span name)
{
	static const struct {
		const char *name;
		enum engine_fault fault;
	} names[] = {{"cut", FAULT_CUT}, {"malformed", FAULT_MALFORMED},
	    {"refused", FAULT_REFUSED}, {"filtered", FAULT_FILTERED},
	    {"timeout", FAULT_TIMEOUT}, {"rate_limit", FAULT_RATE_LIMIT},
	    {"quota", FAULT_QUOTA}, {"credentials", FAULT_CREDENTIALS},
	    {"model", FAULT_MODEL}, {"address", FAULT_ADDRESS},
	    {"unreachable", FAULT_UNREACHABLE}};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (span_is(name, names[i].name))
			return names[i].fault;
	ck_assert_int_eq(name.len, 0);
	return FAULT_NONE;
}

static void
check_shape(const struct pyjson *shape, const char *manner, const char *more)
{
	struct span name = pyjson_string(pyjson_get(shape, "name"));
	struct span text = pyjson_string(pyjson_get(shape, manner));
	struct span says = pyjson_string(pyjson_get(shape, "says"));
	const struct pyjson *usage = pyjson_get(shape, "usage");
	enum engine_fault fault =
	    fault_called(pyjson_string(pyjson_get(shape, "fault")));
	char model[200];
	struct outcome o;
	int64_t n;

	(void)snprintf(model, sizeof(model), "shape=%.*s%s", (int)name.len,
	    name.data, more);
	ask(model, &o);
	ck_assert_msg(o.answer.len == text.len &&
	    memcmp(buf_text(&o.answer), text.data, text.len) == 0,
	    "%s: %s: answer %s (fault %d, %s)", model, manner,
	    buf_text(&o.answer), o.last.fault, o.message);
	ck_assert_msg(o.last.fault == fault, "%s: fault %d (%s)", model,
	    o.last.fault, o.message);
	ck_assert_msg(
	    (o.last.kind == ENGINE_ERROR) == (fault != FAULT_NONE),
	    "%s: kind %d", model, o.last.kind);
	if (says.len > 0)
		ck_assert_msg(span_is(says, o.message), "%s", o.message);
	if (pyjson_int64(pyjson_item(usage, 0), &n))
		ck_assert_int_eq(o.last.usage.prompt_tokens, n);
	if (pyjson_int64(pyjson_item(usage, 1), &n))
		ck_assert_int_eq(o.last.usage.completion_tokens, n);
	buf_release(&o.answer);
}

/* Each as it is, and, unless it takes its time, torn into single bytes. */
START_TEST(every_shape_of_a_reply)
{
	const struct pyjson *shape = pyjson_item(shapes, (size_t)_i);

	check_shape(shape, "text", "");
	if (!span_is(pyjson_string(pyjson_get(shape, "end")), "stall"))
		check_shape(shape, "text", " split=1");
	engine.reasoning = "tags";
	if (pyjson_given(pyjson_get(shape, "tags")))
		check_shape(shape, "tags", "");
	engine.reasoning = "pass";
	if (pyjson_given(pyjson_get(shape, "pass")))
		check_shape(shape, "pass", "");
}
END_TEST

START_TEST(usage_is_the_upstreams_or_an_estimate)
{
	struct outcome o;

	ask("tokens=3", &o);
	ck_assert_int_eq(o.last.usage.prompt_tokens, 12);
	ck_assert_int_eq(o.last.usage.completion_tokens, 3);
	ck_assert(!o.last.usage.estimated);
	buf_release(&o.answer);
	ask("tokens=3 usage=no", &o);
	ck_assert(o.last.usage.estimated);
	ck_assert_int_eq(o.last.usage.completion_tokens, 6);
	buf_release(&o.answer);
}
END_TEST

START_TEST(after_the_finish_reason_nobody_waits_for_long)
{
	int64_t started_ms = clock_monotonic_ms();
	struct outcome o;

	engine.idle_timeout_ms = 20000;
	engine.total_timeout_ms = 60000;
	ask("tokens=2 fault=no_end", &o);
	ck_assert_int_eq(o.last.kind, ENGINE_END);
	ck_assert_str_eq(buf_text(&o.answer), "w0 w1 ");
	ck_assert(o.last.usage.estimated);
	ck_assert_int_lt(clock_monotonic_ms() - started_ms, 12000);
	buf_release(&o.answer);
}
END_TEST

/* The first answer shows that this server's begin with thoughts. */
START_TEST(thoughts_without_an_opening_tag)
{
	struct outcome o;

	ask("shape=think-lone", &o);
	ck_assert_str_eq(buf_text(&o.answer), "one two");
	ck_assert_uint_eq(o.retracts, 1);
	ck_assert(o.last.usage.estimated);
	ck_assert_int_gt(o.last.usage.completion_tokens, 3);
	buf_release(&o.answer);
	ask("shape=think-lone", &o);
	ck_assert_str_eq(buf_text(&o.answer), "one two");
	ck_assert_uint_eq(o.retracts, 0);
	buf_release(&o.answer);
	ask("tokens=2", &o); /* one that does not think is whole all the same */
	ck_assert_str_eq(buf_text(&o.answer), "w0 w1 ");
	buf_release(&o.answer);
}
END_TEST

START_TEST(an_endless_answer_is_cut_off)
{
	struct outcome o;

	ask("fault=long", &o);
	ck_assert_int_eq(o.last.fault, FAULT_TOO_BIG);
	ck_assert(o.answer.len <= 100000);
	buf_release(&o.answer);
}
END_TEST

START_TEST(retry_after_reaches_the_caller)
{
	struct outcome o;

	ask("status=429 retry_after=60", &o);
	ck_assert_int_eq(o.last.retry_after_s, 60);
	buf_release(&o.answer);
}
END_TEST

START_TEST(nobody_listens)
{
	struct outcome o;

	engine.url = "http://127.0.0.1:9/v1";
	ask("tokens=3", &o);
	ck_assert_int_eq(o.last.fault, FAULT_UNREACHABLE);
	buf_release(&o.answer);
}
END_TEST

START_TEST(a_recorded_stream_keeps_its_meaning)
{
	static const char answer[] =
	    "Gr\xC3\xBC\xC3\x9F" "e \"Oslo\":\n\xE2\x88\x92" "3 \xC2\xB0" "C "
	    "\xF0\x9F\x8C\xA8\t<b>&amp;</b> \\o/";
	static const char *const splits[] = {"", " split=1", " split=3",
	    " split=1000"};
	char model[200];
	struct outcome o;
	size_t i;

	for (i = 0; i < sizeof(splits) / sizeof(splits[0]); i++) {
		(void)snprintf(model, sizeof(model),
		    "file=fixtures/upstream/weather_stream.sse%s", splits[i]);
		ask(model, &o);
		ck_assert_str_eq(buf_text(&o.answer), answer);
		ck_assert_int_eq(o.last.kind, ENGINE_END);
		ck_assert_int_eq(o.last.usage.prompt_tokens, 23);
		ck_assert_int_eq(o.last.usage.completion_tokens, 17);
		buf_release(&o.answer);
	}
}
END_TEST

START_TEST(an_engine_that_is_not_set_up)
{
	struct outcome o;

	engine.key = NULL;
	engine.key_env = "PARLANCE_TEST_NO_SUCH_VARIABLE";
	ask("tokens=3", &o);
	ck_assert_int_eq(o.last.fault, FAULT_NOT_CONFIGURED);
	buf_release(&o.answer);
	engine.key_env = NULL;
	engine.url = "gopher://127.0.0.1/";
	ask("tokens=3", &o);
	ck_assert(o.last.kind == ENGINE_ERROR);
	buf_release(&o.answer);
}
END_TEST

Suite *
openai_suite(void)
{
	Suite *s = suite_create("openai");
	TCase *t = tcase_create("openai");

	tcase_set_timeout(t, 30);
	tcase_add_unchecked_fixture(t, start_server, stop_server);
	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_loop_test(t, every_ending_is_told_as_it_is, 0,
	    sizeof(cases) / sizeof(cases[0]));
	tcase_add_loop_test(
	    t, every_shape_of_a_reply, 0, (int)read_shapes());
	tcase_add_test(t, usage_is_the_upstreams_or_an_estimate);
	tcase_add_test(t, after_the_finish_reason_nobody_waits_for_long);
	tcase_add_test(t, thoughts_without_an_opening_tag);
	tcase_add_test(t, an_endless_answer_is_cut_off);
	tcase_add_test(t, retry_after_reaches_the_caller);
	tcase_add_test(t, nobody_listens);
	tcase_add_test(t, a_recorded_stream_keeps_its_meaning);
	tcase_add_test(t, an_engine_that_is_not_set_up);
	suite_add_tcase(s, t);
	return s;
}
