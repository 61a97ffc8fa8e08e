/* Turns over the replay engine: what is said, by whom, and how it ends. */
#include "chat/tokens.h"
#include "turn/turn.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "config/config.h"

Suite *turn_suite(void);

static const char recordings[] =
    "{\"recordings\": ["
    "{\"bot\": \"other\", \"answer\": \"not this one\"},"
    "{\"question\": \"words\", \"answer\": [\"one tw\", \"o thr\", \"ee\"],"
    " \"usage\": {\"prompt_tokens\": 7, \"completion_tokens\": 5}},"
    "{\"question\": \"cut\", \"answer\": [\"half\"], \"fault\": \"cut\"},"
    "{\"question\": \"quota\", \"answer\": [], \"fault\": \"quota\","
    " \"message\": \"no more\"},"
    "{\"question\": \"silence\", \"answer\": []},"
    "{\"question\": \"long\","
    " \"answer\": [\"aa \", \"bb \", \"cc \", \"dd\"]},"
    "{\"question\": \"slow\", \"answer\": [\"a\", \"b\"],"
    " \"pace_ms\": 100000},"
    "{\"question\": \"cited\", \"answer\": \"yes\", \"latency\": 0.75,"
    " \"retriever_resources\": [{\"document_name\": \"d\", \"score\": 0.5,"
    " \"content\": \"c\"}]}"
    "]}";

static char path[64];
static struct arena arena;
static struct config config;
static struct bot_config bot;
static struct engine_config engines[2];
static struct engine_worker *worker;
static struct turn *turn;
static struct turn_event event;
static char said[256];

static void
set_up(void)
{
	FILE *f;
	int fd;

	(void)snprintf(path, sizeof(path), "/tmp/parlance-turn-XXXXXX");
	fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	f = fdopen(fd, "w");
	ck_assert_ptr_nonnull(f);
	(void)fputs(recordings, f);
	(void)fclose(f);
	arena_init(&arena, 1 << 22);
	engines[0] = (struct engine_config){
	    .name = "first", .kind = "replay", .recordings = "/nonexistent"};
	engines[1] = (struct engine_config){
	    .name = "second", .kind = "replay", .recordings = path};
	config = (struct config){.engines = engines, .n_engines = 2};
	config.server.turn_limit_s = 1000;
	bot = (struct bot_config){.slug = "b",
	    .persona = "You help.",
	    .engines = {.items = {"second"}, .n = 1}};
	worker = engine_worker_new(&config);
	turn = NULL;
}

static void
tear_down(void)
{
	turn_free(turn);
	engine_worker_free(worker);
	arena_release(&arena);
	(void)unlink(path);
}

static void
begin(const struct turn_setup *setup)
{
	ck_assert_int_eq(turn_start(setup, &turn), ERR_NONE);
	ck_assert(!turn_prepared(turn));
	turn_next(turn, 1000, NULL, &event);
	ck_assert_int_eq(event.kind, TURN_WORK);
	turn_work(turn);
	ck_assert(turn_prepared(turn));
}

static void
start(const char *question, int64_t max_words)
{
	struct turn_setup setup = {.config = &config,
	    .bot = &bot,
	    .worker = worker,
	    .arena = &arena,
	    .question = span_of(question),
	    .max_words = max_words};

	begin(&setup);
	said[0] = '\0';
}

/* Until it waits or is over; what it says is gathered, "|" between. */
static void
run(int64_t now_ms)
{
	size_t n;

	for (;;) {
		turn_next(turn, now_ms, NULL, &event);
		if (event.kind == TURN_WORK) {
			turn_work(turn);
			continue;
		}
		if (event.kind != TURN_DELTA)
			return;
		n = strlen(said);
		(void)snprintf(said + n, sizeof(said) - n, "%.*s|",
		    (int)event.text.len, event.text.data);
	}
}

START_TEST(an_answer_and_its_usage)
{
	const struct turn_result *r;

	start("words", 0);
	run(1000);
	ck_assert_int_eq(event.kind, TURN_END);
	ck_assert_str_eq(said, "one tw|o thr|ee|");
	r = turn_result(turn);
	ck_assert(span_is(r->answer, "one two three"));
	ck_assert_int_eq(r->usage.prompt_tokens, 7);
	ck_assert_int_eq(r->usage.completion_tokens, 5);
	ck_assert(!r->usage_estimated && !r->stopped);
	ck_assert_int_eq(r->context_words, 2);
}
END_TEST

START_TEST(the_caller_s_instructions_are_not_our_context)
{
	const struct chat_message history[] = {
	    {ROLE_USER, SPAN(" ")}, {ROLE_SYSTEM, SPAN("Be brief.")}};
	struct turn_setup setup = {.config = &config,
	    .bot = &bot,
	    .worker = worker,
	    .arena = &arena,
	    .question = SPAN("words"),
	    .history = history,
	    .n_history = 2,
	    .history_is_callers = true};

	bot.persona = "";
	begin(&setup);
	run(1000);
	ck_assert_int_eq(turn_result(turn)->context_words, 0);
	ck_assert_int_eq(turn_result(turn)->context_tokens, 0);
}
END_TEST

START_TEST(max_words_is_held_whatever_the_engine_says)
{
	start("words", 2);
	run(1000);
	ck_assert_int_eq(event.kind, TURN_END);
	ck_assert(span_is(turn_result(turn)->answer, "one two"));
	ck_assert(turn_result(turn)->usage_estimated);
}
END_TEST

START_TEST(a_cut_answer_is_an_error)
{
	start("cut", 0);
	run(1000);
	ck_assert_int_eq(event.kind, TURN_ERROR);
	ck_assert_int_eq(event.fault, FAULT_CUT);
	ck_assert_str_eq(said, "half|");
	ck_assert(span_is(turn_result(turn)->answer, "half"));
	ck_assert(turn_result(turn)->usage.completion_tokens > 0);
}
END_TEST

START_TEST(the_fault_s_words_outlive_the_engine)
{
	start("quota", 0);
	run(1000);
	ck_assert_int_eq(event.fault, FAULT_QUOTA);
	ck_assert_str_eq(event.message, "no more");
}
END_TEST

START_TEST(an_empty_answer_is_an_error)
{
	start("silence", 0);
	run(1000);
	ck_assert_int_eq(event.kind, TURN_ERROR);
}
END_TEST

START_TEST(the_next_engine_takes_over_before_the_first_word)
{
	bot.engines = (struct config_list){
	    .items = {"first", "second"}, .n = 2};
	start("words", 0);
	run(1000);
	ck_assert_int_eq(event.kind, TURN_END);
	ck_assert(span_is(turn_result(turn)->answer, "one two three"));
}
END_TEST

START_TEST(no_engine_takes_over_after_the_first_word)
{
	bot.engines = (struct config_list){
	    .items = {"second", "second"}, .n = 2};
	start("cut", 0);
	run(1000);
	ck_assert_int_eq(event.kind, TURN_ERROR);
	ck_assert_str_eq(said, "half|");
}
END_TEST

START_TEST(a_stopped_turn_ends_with_what_there_is)
{
	struct interests in;

	start("slow", 0);
	run(1000);
	ck_assert_int_eq(event.kind, TURN_WAIT);
	interests_none(&in);
	turn_interests(turn, &in);
	ck_assert_int_eq(in.wake_ms, 101000);
	turn_stop(turn);
	run(1001);
	ck_assert_int_eq(event.kind, TURN_END);
	ck_assert(turn_result(turn)->stopped);
	ck_assert(span_is(turn_result(turn)->answer, "a"));
}
END_TEST

START_TEST(the_run_time_cap_acts_like_a_stop)
{
	config.server.turn_limit_s = 5;
	start("slow", 0);
	run(1000);
	ck_assert_int_eq(event.kind, TURN_WAIT);
	run(5999);
	ck_assert_int_eq(event.kind, TURN_WAIT);
	run(6000);
	ck_assert_int_eq(event.kind, TURN_END);
	ck_assert(turn_result(turn)->stopped);
}
END_TEST

START_TEST(recorded_citations_and_latency_count)
{
	const struct turn_result *r;

	start("cited", 0);
	run(1000);
	r = turn_result(turn);
	ck_assert_uint_eq(r->n_passages, 1);
	ck_assert_str_eq(r->passages[0].document_name, "d");
	ck_assert(r->latency_s == 0.75 && r->usage.latency_s == 0.75);
}
END_TEST

START_TEST(nothing_recorded_is_told)
{
	start("unknown", 0);
	run(1000);
	ck_assert_int_eq(event.kind, TURN_ERROR);
	ck_assert_int_eq(event.fault, FAULT_MODEL);
}
END_TEST

static const struct {
	const char *text;
	int64_t min, max;
} token_counts[] = {
    {"", 0, 0},
    {" \t\n\xC2\xA0", 0, 0},
    {"a", 1, 1},
    {"The quick brown fox jumps over the lazy dog.", 9, 12},
    {"\xE4\xBD\xA0\xE5\xA5\xBD\xE4\xB8\x96\xE7\x95\x8C", 3, 6},
    {"\xD0\x9F\xD1\x80\xD0\xB8\xD0\xB2\xD0\xB5\xD1\x82", 2, 4},
    {"\xF0\x9F\x98\x80", 1, 3},
    {"1234567", 2, 4},
};

START_TEST(tokens_are_counted_in_every_script)
{
	int64_t n = tokens_count(span_of(token_counts[_i].text));

	ck_assert_msg(n >= token_counts[_i].min &&
			  n <= token_counts[_i].max,
	    "%s: %lld", token_counts[_i].text, (long long)n);
}
END_TEST

/* The prompt of "words" is four tokens as we count, seven as recorded. */
START_TEST(an_engine_of_ours_needs_what_it_will_use)
{
	struct turn_need need;

	start("words", 0);
	turn_need(turn, &need);
	ck_assert_int_eq(need.min, 7 + 5);
	ck_assert_int_eq(need.max, 7 + 5);
	turn_allow(turn, need.max);
	run(1000);
	ck_assert_int_eq(event.kind, TURN_END);
	ck_assert(span_is(turn_result(turn)->answer, "one two three"));
	ck_assert_int_eq(turn_result(turn)->spent_tokens, 7 + 5);
}
END_TEST

START_TEST(a_turn_is_held_to_what_it_was_allowed)
{
	struct turn_need need;

	bot.max_output_tokens = 2;
	bot.engines = (struct config_list){
	    .items = {"first", "second"}, .n = 2};
	start("long", 0);
	turn_need(turn, &need);
	ck_assert_int_eq(need.min, 4 + 2);
	ck_assert_int_eq(need.max, 4 + 2);
	turn_allow(turn, need.min);
	run(1000);
	ck_assert_int_eq(event.kind, TURN_END);
	ck_assert_str_eq(said, "aa |bb |");
	ck_assert_int_eq(turn_result(turn)->spent_tokens, 4 + 2);
}
END_TEST

START_TEST(an_upstream_needs_its_longest_answer)
{
	static const struct chat_file files[2];
	struct turn_setup setup = {.config = &config,
	    .bot = &bot,
	    .worker = worker,
	    .arena = &arena,
	    .question = SPAN("\xE2\x82\xAC 20?"),
	    .files = files,
	    .n_files = 2};
	struct turn_need need;

	engines[1].kind = "openai";
	begin(&setup);
	turn_need(turn, &need);
	/* The frame, two messages, their bytes. */
	ck_assert_int_eq(need.max, 128 + 2 * 16 + 9 + 7 + TURN_ANSWER_TOKENS);
	ck_assert_int_eq(need.min, need.max - TURN_ANSWER_TOKENS +
	    TURN_ANSWER_MIN);
	bot.max_output_tokens = 100;
	engines[1].bytes_per_token = 3;
	turn_need(turn, &need);
	/* Never fewer than we count ourselves: three for each. */
	ck_assert_int_eq(need.max, 128 + 2 * 16 + 3 + 3 + 100);
	ck_assert_int_eq(need.min, need.max);
	engines[1].vision = true;
	turn_need(turn, &need);
	ck_assert_int_eq(need.max, 128 + 2 * 16 + 3 + 3 + 100 + 2 * 2048);
}
END_TEST

/* What is asked, which engines, what is allowed beyond the least, spent. */
static const struct {
	const char *question;
	size_t n;
	int64_t more, spent;
} failures[] = {
    {"quota", 1, 0, 0},     /* the model did not begin */
    {"cut", 1, 0, 4 + 1},   /* it said "half" */
    {"silence", 1, 0, 5},   /* it read, and said nothing */
    {"silence", 2, 3000, 10}, /* so did the next */
    {"silence", 2, 0, 5},   /* for which there was no room */
};

START_TEST(engines_that_failed_have_used_tokens)
{
	struct turn_need need;

	bot.engines = (struct config_list){
	    .items = {"second", "second"}, .n = failures[_i].n};
	start(failures[_i].question, 0);
	turn_need(turn, &need);
	turn_allow(turn, need.min + failures[_i].more);
	run(1000);
	ck_assert_int_eq(event.kind, TURN_ERROR);
	ck_assert_int_eq(turn_result(turn)->spent_tokens, failures[_i].spent);
}
END_TEST

Suite *
turn_suite(void)
{
	Suite *s = suite_create("turn");
	TCase *t = tcase_create("turn");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, an_answer_and_its_usage);
	tcase_add_test(t, the_caller_s_instructions_are_not_our_context);
	tcase_add_test(t, max_words_is_held_whatever_the_engine_says);
	tcase_add_test(t, a_cut_answer_is_an_error);
	tcase_add_test(t, the_fault_s_words_outlive_the_engine);
	tcase_add_test(t, an_empty_answer_is_an_error);
	tcase_add_test(t, the_next_engine_takes_over_before_the_first_word);
	tcase_add_test(t, no_engine_takes_over_after_the_first_word);
	tcase_add_test(t, a_stopped_turn_ends_with_what_there_is);
	tcase_add_test(t, the_run_time_cap_acts_like_a_stop);
	tcase_add_test(t, recorded_citations_and_latency_count);
	tcase_add_test(t, nothing_recorded_is_told);
	tcase_add_test(t, an_engine_of_ours_needs_what_it_will_use);
	tcase_add_test(t, a_turn_is_held_to_what_it_was_allowed);
	tcase_add_test(t, an_upstream_needs_its_longest_answer);
	tcase_add_loop_test(t, engines_that_failed_have_used_tokens, 0,
	    sizeof(failures) / sizeof(failures[0]));
	tcase_add_loop_test(t, tokens_are_counted_in_every_script, 0,
	    sizeof(token_counts) / sizeof(token_counts[0]));
	suite_add_tcase(s, t);
	return s;
}
