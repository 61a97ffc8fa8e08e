/*
 * The recordings are read for each run: the file is small, the run is rare,
 * and a changed file counts at once.
 */
#include "engine/replay.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "chat/tokens.h"
#include "config/config.h"
#include "json/pyjson.h"

#define RECORDINGS_MAX (8 * 1024 * 1024)

struct replay_run {
	struct engine_run run;
	struct span *deltas;
	size_t n_deltas, next;
	int64_t delay_ms, pace_ms;
	int64_t due_ms; /* of the next event; 0 before the first look */
	struct engine_event last; /* the end, or the fault */
};

static const struct {
	const char *name;
	enum engine_fault fault;
} faults[] = {
    {"credentials", FAULT_CREDENTIALS},
    {"quota", FAULT_QUOTA},
    {"rate_limit", FAULT_RATE_LIMIT},
    {"model", FAULT_MODEL},
    {"refused", FAULT_REFUSED},
    {"unreachable", FAULT_UNREACHABLE},
    {"timeout", FAULT_TIMEOUT},
    {"cut", FAULT_CUT},
    {"malformed", FAULT_MALFORMED},
    {"too_big", FAULT_TOO_BIG},
    {"internal", FAULT_INTERNAL},
};

/* ---- the run ------------------------------------------------------------ */

static void
replay_next(struct engine_run *run, int64_t now_ms,
    const struct interests *ready, struct engine_event *event)
{
	struct replay_run *r = (struct replay_run *)run;

	(void)ready;
	if (r->due_ms == 0)
		r->due_ms = now_ms + r->delay_ms;
	if (r->next == r->n_deltas) {
		*event = r->last;
		return;
	}
	*event = (struct engine_event){.kind = ENGINE_WAIT};
	if (now_ms < r->due_ms)
		return;
	event->kind = ENGINE_DELTA;
	event->text = r->deltas[r->next++];
	r->due_ms = now_ms + r->pace_ms;
}

static void
replay_interests(struct engine_run *run, struct interests *in)
{
	interests_wake(in, ((struct replay_run *)run)->due_ms);
}

static void
replay_free(struct engine_run *run)
{
	(void)run; /* it lives in the arena */
}

/* It tells what is recorded; broken off, what was said is counted. */
static void
take_bound(struct replay_run *r, const struct engine_request *request)
{
	struct engine_bound *b = &r->run.bound;
	const struct engine_usage *u = &r->last.usage;
	size_t i;

	b->prompt = engine_count_prompt(request);
	for (i = 0; i < r->n_deltas; i++)
		b->answer += tokens_count(r->deltas[i]);
	if (b->prompt < u->prompt_tokens)
		b->prompt = u->prompt_tokens;
	if (b->answer < u->completion_tokens)
		b->answer = u->completion_tokens;
	r->run.bound_known = true;
	r->run.hopeless = r->n_deltas == 0 && r->last.kind == ENGINE_ERROR;
}

/* ---- the recordings ----------------------------------------------------- */

/* The file's text in the arena; data NULL when it cannot be read. */
static struct span
read_file(const char *path, struct arena *arena)
{
	struct span none = SPAN_NONE;
	struct stat st;
	char *text;
	size_t len = 0;
	ssize_t n = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) ||
	    st.st_size > RECORDINGS_MAX) {
		log_error("replay: %s: %s", path,
		    fd < 0 ? strerror(errno) : "not a file of under 8 MB");
		if (fd >= 0)
			(void)close(fd);
		return none;
	}
	text = arena_alloc(arena, (size_t)st.st_size + 1);
	while (text != NULL && len < (size_t)st.st_size &&
	       (n = read(fd, text + len, (size_t)st.st_size - len)) > 0)
		len += (size_t)n;
	(void)close(fd);
	if (text == NULL || n < 0)
		return none;
	return (struct span){text, len};
}

static bool
fits(const struct pyjson *entry, const struct engine_request *request)
{
	const struct pyjson *bot = pyjson_get(entry, "bot");
	const struct pyjson *question = pyjson_get(entry, "question");

	if (pyjson_is_string(bot) &&
	    !span_is(pyjson_string(bot), request->bot->slug))
		return false;
	return !pyjson_is_string(question) ||
	       span_equal(span_trim(pyjson_string(question)),
		   span_trim(request->question));
}

static const struct pyjson *
find(const struct pyjson *file, const struct engine_request *request)
{
	struct pyjson_iter it = pyjson_iter(pyjson_get(file, "recordings"));
	const struct pyjson *entry;

	while (pyjson_next(&it, NULL, &entry))
		if (fits(entry, request))
			return entry;
	return NULL;
}

static bool
take_deltas(struct replay_run *r, const struct pyjson *answer,
    struct arena *arena)
{
	struct pyjson_iter it = pyjson_iter(answer);
	const struct pyjson *item;
	bool list = pyjson_is_array(answer);
	size_t n = list ? pyjson_count(answer) : 1;

	r->deltas = arena_array(arena, n, sizeof(*r->deltas));
	if (r->deltas == NULL)
		return false;
	if (!list && pyjson_is_string(answer))
		r->deltas[r->n_deltas++] = pyjson_string(answer);
	while (list && pyjson_next(&it, NULL, &item))
		r->deltas[r->n_deltas++] = pyjson_string(item);
	return true;
}

static int64_t
number(const struct pyjson *object, const char *name, int64_t fallback)
{
	int64_t value;

	if (pyjson_int64(pyjson_get(object, name), &value))
		return value;
	return fallback;
}

static const char *
text(const struct pyjson *object, const char *name, struct arena *arena)
{
	const char *s = pyjson_cstring(pyjson_get(object, name), arena);

	return s != NULL ? s : "";
}

static void
take_usage(struct replay_run *r, const struct pyjson *usage,
    const struct engine_request *request)
{
	struct engine_usage *u = &r->last.usage;
	size_t i;

	u->estimated = !pyjson_is_object(usage);
	u->prompt_tokens = number(usage, "prompt_tokens", 0);
	u->completion_tokens = number(usage, "completion_tokens", 0);
	if (!u->estimated)
		return;
	u->prompt_tokens = engine_count_prompt(request);
	for (i = 0; i < r->n_deltas; i++)
		u->completion_tokens += tokens_count(r->deltas[i]);
}

static bool
take_resources(struct replay_run *r, const struct pyjson *list,
    struct arena *arena)
{
	struct pyjson_iter it = pyjson_iter(list);
	const struct pyjson *item;
	struct passage *p;

	if (!pyjson_is_array(list))
		return true;
	p = arena_array(arena, pyjson_count(list), sizeof(*p));
	if (p == NULL)
		return false;
	r->last.passages = p;
	for (; pyjson_next(&it, NULL, &item); p++, r->last.n_passages++) {
		p->dataset_id = text(item, "dataset_id", arena);
		p->dataset_name = text(item, "dataset_name", arena);
		p->document_id = text(item, "document_id", arena);
		p->document_name = text(item, "document_name", arena);
		p->segment_id = text(item, "segment_id", arena);
		p->segment_position = number(item, "segment_position", 1);
		p->score = pyjson_double(pyjson_get(item, "score"));
		p->content = pyjson_string(pyjson_get(item, "content"));
		p->hit_count = number(item, "hit_count", -1);
		p->word_count = number(item, "word_count", -1);
	}
	return true;
}

static void
take_end(struct replay_run *r, const struct pyjson *entry,
    struct arena *arena)
{
	struct span name = pyjson_string(pyjson_get(entry, "fault"));
	double latency = pyjson_double(pyjson_get(entry, "latency"));
	const char *message;
	size_t i;

	r->last.kind = ENGINE_END;
	r->last.latency_s = latency > 0 ? latency : 0;
	if (name.data == NULL)
		return;
	r->last.kind = ENGINE_ERROR;
	r->last.fault = FAULT_INTERNAL;
	for (i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		if (span_is(name, faults[i].name))
			r->last.fault = faults[i].fault;
	r->last.message = engine_fault_text(r->last.fault);
	message = text(entry, "message", arena);
	if (*message != '\0')
		r->last.message = message;
}

enum err
replay_start(const struct engine_config *engine,
    const struct engine_request *request, struct engine_worker *worker,
    struct arena *arena, struct engine_run **run)
{
	static const struct engine_run_ops ops = {
	    replay_next,
	    replay_interests,
	    replay_free,
	};
	const struct pyjson *file = NULL, *entry;
	struct replay_run *r;
	struct span json;

	(void)worker;
	*run = NULL;
	if (engine->recordings == NULL)
		return engine_start_failed(arena, FAULT_NOT_CONFIGURED,
		    "No recordings are configured.", run);
	json = read_file(engine->recordings, arena);
	if (json.data != NULL &&
	    pyjson_decode(arena, json, NULL, &file, NULL) != ERR_NONE)
		log_error("replay: %s: not readable as JSON",
		    engine->recordings);
	if (file == NULL)
		return engine_start_failed(arena, FAULT_NOT_CONFIGURED,
		    "The recordings cannot be read.", run);
	entry = find(file, request);
	if (entry == NULL)
		return engine_start_failed(arena, FAULT_MODEL,
		    "Nothing is recorded for this question.", run);
	r = arena_alloc(arena, sizeof(*r));
	if (r == NULL || !take_deltas(r, pyjson_get(entry, "answer"), arena))
		return ERR_MEMORY;
	r->run.ops = &ops;
	r->delay_ms = number(entry, "delay_ms", 0);
	r->pace_ms = number(entry, "pace_ms", 0);
	take_usage(r, pyjson_get(entry, "usage"), request);
	if (!take_resources(
		r, pyjson_get(entry, "retriever_resources"), arena))
		return ERR_MEMORY;
	take_end(r, entry, arena);
	take_bound(r, request);
	*run = &r->run;
	return ERR_NONE;
}
