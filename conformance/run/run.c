/*
 * Workers take the next case, send its steps, and leave a result; whoever
 * finishes hands over all results that are next in order, so the output does
 * not depend on the number of workers.
 */
#include "run.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "match/check.h"
#include "match/mem.h"
#include "match/transcript.h"

enum control_state { CONTROL_NEW, CONTROL_GOOD, CONTROL_REFUSED };

/* The unchanged base of a suite, sent once. */
struct control {
	pthread_mutex_t lock;
	enum control_state state;
	struct arena arena;
	struct wire_request request;
	struct reply reply;
	struct difference difference;
};

struct run_worker {
	struct run *run;
	struct connection connection;
	pthread_t thread;
};

bool
run_counts(const struct run_options *options, enum level level)
{
	return level == LEVEL_MUST ||
	    (level == LEVEL_SHOULD && options->strict) ||
	    (level == LEVEL_HOUSE && options->house);
}

/* ---- one exchange ------------------------------------------------------- */

static void
look_for_signs(struct run_worker *w, struct arena *a, const struct reply *reply)
{
	const struct jv *signs = w->run->profile->signs, *json;
	struct difference ignored;
	struct content content;
	size_t i;

	if (signs == NULL || reply->status < 400 ||
	    !check_form(a, "GET", reply, &content, &ignored))
		return;
	for (i = 0; i < signs->count && content.json != NULL; i++) {
		json = jv_get(signs->items[i], "json");
		if (!match(a, json, content.json, "body", &ignored))
			continue;
		pthread_mutex_lock(&w->run->lock);
		w->run->signs[i].replies++;
		pthread_mutex_unlock(&w->run->lock);
	}
}

/* Sends one request; notes whether the target answers at all. */
static void
exchange(struct run_worker *w, struct arena *a,
    const struct wire_request *request, struct reply *reply, struct buf *log)
{
	struct run *run = w->run;

	connection_send(a, &w->connection, request, reply);
	pthread_mutex_lock(&run->lock);
	run->requests++;
	if (!reply->unreachable) {
		run->reached++;
	} else if (run->reached == 0 && !run->stopped) {
		run->stopped = true;
		run->unreachable = must(strdup(reply->failure));
	}
	pthread_mutex_unlock(&run->lock);
	if (log != NULL)
		transcript_add(log, request, reply);
	look_for_signs(w, a, reply);
}

static void
wait_before_retry(struct arena *a, const struct reply *reply)
{
	struct span after = reply_header(a, reply, "Retry-After");
	int64_t seconds = 1;

	if (after.data != NULL)
		(void)text_to_int64(after, 0, 30, &seconds);
	sleep((unsigned)seconds);
}

/* ---- the control -------------------------------------------------------- */

static void
send_control(struct run_worker *w, struct control *control,
    const struct suite *suite)
{
	static const struct jv none = {.kind = JV_OBJECT};
	struct content content;
	struct arena *a = &control->arena;
	const char *why;
	int tries = w->run->options.retries;

	arena_init(a, MEM_ARENA_MAX);
	control->state = CONTROL_REFUSED;
	why = control_prepare(a, w->run->profile, &w->run->vars, suite,
	    &control->request);
	if (why != NULL) {
		control->difference = (struct difference){"request", "", why};
		return;
	}
	for (;;) {
		exchange(w, a, &control->request, &control->reply, NULL);
		if ((control->reply.status != 429 &&
			control->reply.status != 503) ||
		    tries-- <= 0)
			break;
		wait_before_retry(a, &control->reply);
	}
	if (!check_reply(a, &none, control->request.method, &control->reply,
		&content, &control->difference))
		return;
	if (control->reply.status / 100 == 2)
		control->state = CONTROL_GOOD;
	else
		control->difference = (struct difference){
		    "the unchanged base request", "200",
		    mem_printf(a, "%d", control->reply.status)};
}

static bool
control_passes(struct run_worker *w, struct result *result)
{
	const struct suite *suite = result->test->suite;
	struct control *control = &w->run->controls[suite->index];
	bool good;

	pthread_mutex_lock(&control->lock);
	if (control->state == CONTROL_NEW)
		send_control(w, control, suite);
	good = control->state == CONTROL_GOOD;
	pthread_mutex_unlock(&control->lock);
	if (!good) {
		result->verdict = VERDICT_UNTESTED;
		result->request = control->request;
		result->reply = control->reply;
		result->difference = control->difference;
	}
	return good;
}

/* ---- a case ------------------------------------------------------------- */

/* The first that the case needs and the deployment has not; *lacks is the
 * variable when that is all it needs. */
static const char *
feature_off(const struct run *run, const struct testcase *test,
    const char **lacks)
{
	const struct jv *list = test->requires, *feature;
	size_t i;

	for (i = 0; list != NULL && i < list->count; i++) {
		feature = jv_get_span(run->profile->features,
		    list->items[i]->text);
		if (feature == NULL || !feature->truth)
			return list->items[i]->text.data;
		*lacks = profile_lacks(run->profile, &run->vars,
		    list->items[i]->text);
		if (*lacks != NULL)
			return list->items[i]->text.data;
	}
	return NULL;
}

static void
note_stream(struct result *result, const struct content *content)
{
	enum sse_live live;
	const char *why;

	if (!content->is_stream)
		return;
	result->events += content->stream.count;
	live = sse_live(&result->arena, &content->stream, &why);
	if (!result->streamed || live == SSE_LIVE_NO ||
	    (live == SSE_LIVE_YES && result->live == SSE_LIVE_UNKNOWN)) {
		result->live = live;
		result->live_why = why;
	}
	result->streamed = true;
}

static bool
capture(struct result *result, const struct case_step *step,
    const struct content *content, struct vars *vars)
{
	const struct jv *captured = vars->layers[VARS_CAPTURED], *value;
	struct arena *a = &result->arena;
	size_t i;

	if (captured == NULL)
		captured = jv_object(a, NULL, NULL, 0);
	for (i = 0; step->capture != NULL && i < step->capture->count; i++) {
		value = check_capture(a, content,
		    step->capture->items[i]->text);
		if (value == NULL) {
			result->difference = (struct difference){
			    mem_printf(a, "body %s",
				step->capture->items[i]->text.data),
			    "(present: a later step needs it)", "(absent)"};
			return false;
		}
		captured = jv_with(a, captured,
		    span_of(mem_printf(a, "/%s",
			step->capture->names[i].data)),
		    value);
	}
	vars->layers[VARS_CAPTURED] = captured;
	return true;
}

static bool
should_retry(const struct run *run, const struct result *result)
{
	return (result->reply.status == 429 || result->reply.status == 503) &&
	    result->tries <= (unsigned)run->options.retries;
}

/* A step that is sent while the one before it is being answered. */
struct meanwhile {
	struct run_worker *worker;
	struct result *result;
	struct vars *vars;
	size_t step;
	bool sent, good;
	int64_t answered_us; /* on the clock of the reply that goes on */
	struct wire_request request;
	struct reply reply;
	struct difference difference;
};

/* Sends and checks one step, on the worker's connection. */
static bool
send_step(struct run_worker *w, struct result *result, struct prepared *p,
    struct content *content)
{
	struct run *run = w->run;
	struct arena *a = &result->arena;
	bool good;

	result->tries = 0;
	do {
		if (result->tries++ > 0)
			wait_before_retry(a, &result->reply);
		exchange(w, a, &p->wire, &result->reply,
		    run->options.verbose ? &result->log : NULL);
		result->us += result->reply.us;
		good = check_reply(a, p->expect, p->wire.method,
		    &result->reply, content, &result->difference);
	} while (!good && should_retry(run, result));
	if (result->reply.failure == NULL)
		note_stream(result, content);
	return good;
}

static bool
prepare(struct run_worker *w, struct result *result, size_t step,
    const struct vars *vars, struct prepared *p)
{
	const char *why = step_prepare(&result->arena, w->run->profile, vars,
	    result->test, step, p);

	result->step = step;
	result->request = p->wire;
	if (why != NULL)
		result->difference = (struct difference){"request",
		    "(a request)", why};
	return why == NULL;
}

/* The part of the stream that has come; false while it lacks a capture. */
static bool
capture_early(struct meanwhile *m, struct span text, struct vars *vars)
{
	struct arena *a = &m->result->arena;
	struct difference kept = m->result->difference;
	struct content content = {.is_stream = true};
	struct reply part = {.status = 200};
	const char *data = memmem(text.data, text.len, "data:", 5);
	bool complete;

	if (data == NULL)
		return false;
	part.body = (struct span){data, text.len - (size_t)(data - text.data)};
	sse_read(a, &part, &content.stream);
	complete = capture(m->result, &m->result->test->steps[m->step - 1],
	    &content, vars);
	m->result->difference = kept;
	return complete;
}

static void
send_meanwhile(void *ctx, struct span text, int64_t us)
{
	struct meanwhile *m = ctx;
	struct run_worker other = {.run = m->worker->run};
	struct result *r = m->result;
	struct reply going_on = r->reply;
	struct wire_request request = r->request;
	struct vars vars = *m->vars;
	struct content content;
	struct prepared p;

	if (m->sent || !capture_early(m, text, &vars))
		return;
	m->sent = true;
	connection_open(&other.connection, m->worker->run->target);
	m->good = prepare(&other, r, m->step, &vars, &p) &&
	    send_step(&other, r, &p, &content);
	connection_close(&other.connection);
	m->answered_us = us + r->reply.us;
	m->request = r->request;
	m->reply = r->reply;
	m->difference = r->difference;
	r->reply = going_on;
	r->request = request;
	r->step = m->step - 1;
}

/* What the step in between has to say once the longer one has ended. */
static bool
judge_meanwhile(struct meanwhile *m)
{
	struct result *r = m->result;
	const struct case_step *step = &r->test->steps[m->step];
	int64_t late_ms = (r->reply.us - m->answered_us) / 1000;

	r->step = m->step;
	if (!m->good) {
		r->request = m->request;
		r->reply = m->reply;
		r->difference = m->difference;
		return false;
	}
	r->difference = (struct difference){
	    "the reply that was still coming",
	    mem_printf(&r->arena,
		step->goes_on ? "goes on for at least %d ms"
			      : "ends within %d ms",
		step->during_ms),
	    mem_printf(&r->arena, "went on for %lld ms",
		(long long)late_ms)};
	return step->goes_on ? late_ms >= step->during_ms
			     : late_ms <= step->during_ms;
}

/* Runs step *step, and the one sent during it; moves *step behind them. */
static bool
run_step(struct run_worker *w, struct result *result, size_t *step,
    struct vars *vars)
{
	size_t at = (*step)++;
	struct meanwhile m = {.worker = w, .result = result, .vars = vars,
	    .step = at + 1};
	struct watcher watcher = {send_meanwhile, &m};
	struct content content;
	struct prepared p;

	if (!prepare(w, result, at, vars, &p))
		return false;
	if (result->test->steps[at].pause_ms > 0) {
		usleep((useconds_t)result->test->steps[at].pause_ms * 1000);
		result->us += result->test->steps[at].pause_ms * 1000;
	}
	if (at + 1 < result->test->step_count &&
	    result->test->steps[at + 1].during_ms != 0)
		p.wire.watcher = &watcher;
	if (!send_step(w, result, &p, &content) ||
	    !capture(result, &result->test->steps[at], &content, vars))
		return false;
	/* An answer that was too quick proves nothing: then it comes after. */
	if (!m.sent)
		return true;
	(*step)++;
	return judge_meanwhile(&m);
}

static void
run_case(struct run_worker *w, struct result *result)
{
	const struct testcase *test = result->test;
	struct vars vars = w->run->vars;
	size_t i;

	arena_init(&result->arena, MEM_ARENA_MAX);
	buf_init(&result->log, MEM_TEXT_MAX);
	result->feature = feature_off(w->run, test,
	    &result->lacks);
	if (result->feature != NULL) {
		result->verdict = VERDICT_NA;
		return;
	}
	for (i = 0; i < test->step_count; i++)
		if (test->steps[i].change != NULL &&
		    !control_passes(w, result))
			return;
	for (i = 0; i < test->step_count;)
		if (!run_step(w, result, &i, &vars)) {
			result->verdict = VERDICT_FAILED;
			return;
		}
	result->verdict = VERDICT_OK;
}

/* ---- the workers -------------------------------------------------------- */

static bool
is_bad(const struct run *run, const struct result *result)
{
	return (result->verdict == VERDICT_FAILED ||
		   result->verdict == VERDICT_UNTESTED) &&
	    !result->known &&
	    run_counts(&run->options, result->test->level);
}

static void
finish(struct run *run, struct result *result)
{
	pthread_mutex_lock(&run->lock);
	result->done = true;
	if (run->options.stop && is_bad(run, result))
		run->stopped = true;
	while (run->reported < run->count &&
	    run->results[run->reported].done && run->unreachable == NULL)
		run->on_result(run->ctx, &run->results[run->reported++]);
	if (run->reported < run->count && !run->stopped)
		run->on_waiting(run->ctx, &run->results[run->reported]);
	pthread_mutex_unlock(&run->lock);
}

static void *
work(void *ctx)
{
	struct run_worker *w = ctx;
	struct run *run = w->run;
	struct result *result;

	for (;;) {
		pthread_mutex_lock(&run->lock);
		result = run->next < run->count && !run->stopped
		    ? &run->results[run->next++]
		    : NULL;
		pthread_mutex_unlock(&run->lock);
		if (result == NULL)
			return NULL;
		run_case(w, result);
		finish(run, result);
	}
}

static void
start_counting_signs(struct run *run)
{
	const struct jv *signs = run->profile->signs;
	size_t i;

	run->sign_count = signs == NULL ? 0 : signs->count;
	run->signs = must(calloc(run->sign_count + 1, sizeof(*run->signs)));
	for (i = 0; i < run->sign_count; i++)
		run->signs[i].says = jv_text(jv_get(signs->items[i], "says"));
}

void
run_all(struct run *run, size_t suite_count)
{
	size_t i, jobs = (size_t)run->options.jobs;
	struct run_worker *workers = must(calloc(jobs, sizeof(*workers)));

	run->controls = must(calloc(suite_count + 1,
	    sizeof(*run->controls)));
	for (i = 0; i < suite_count; i++)
		pthread_mutex_init(&run->controls[i].lock, NULL);
	pthread_mutex_init(&run->lock, NULL);
	start_counting_signs(run);
	for (i = 0; i < jobs; i++) {
		workers[i].run = run;
		connection_open(&workers[i].connection, run->target);
	}
	for (i = 1; i < jobs; i++)
		if (pthread_create(&workers[i].thread, NULL, work,
			&workers[i]) != 0)
			must(NULL);
	work(&workers[0]);
	for (i = 1; i < jobs; i++)
		pthread_join(workers[i].thread, NULL);
	/* With -x the cases behind a gap were run and are still to be told. */
	for (; run->reported < run->count && run->unreachable == NULL;
	     run->reported++)
		if (run->results[run->reported].done)
			run->on_result(run->ctx,
			    &run->results[run->reported]);
	for (i = 0; i < jobs; i++)
		connection_close(&workers[i].connection);
	run->control_count = suite_count;
	free(workers);
}

void
run_release(struct run *run)
{
	size_t i;

	for (i = 0; i < run->count; i++) {
		arena_release(&run->results[i].arena);
		buf_release(&run->results[i].log);
	}
	/* Untested results point into their controls, so these go last. */
	for (i = 0; i < run->control_count; i++) {
		pthread_mutex_destroy(&run->controls[i].lock);
		arena_release(&run->controls[i].arena);
	}
	pthread_mutex_destroy(&run->lock);
	free(run->controls);
	free(run->unreachable);
	free(run->signs);
	free(run->results);
}
