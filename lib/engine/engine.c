/*
 * The kinds of engines, what belongs to a worker, and the count of tokens
 * for models that do not tell.
 */
#include "engine/engine.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "config/config.h"
#include "engine/builtin.h"
#include "engine/openai.h"
#include "engine/replay.h"
#include "engine/upstream.h"

/* engine_bound(): an upstream's frame, and what nobody can tell. */
#define FRAME_TOKENS 128
#define MESSAGE_TOKENS 16
#define IMAGE_TOKENS 2048

static const struct {
	const char *kind;
	engine_start_fn start;
} kinds[] = {
    {"builtin", builtin_start},
    {"replay", replay_start},
    {"openai", openai_start},
};

struct engine_worker {
	const struct config *config;
	struct upstream *upstream; /* NULL until a turn goes upstream */
	struct engine_quirks *quirks; /* of each engine; NULL as upstream */
};

struct engine_worker *
engine_worker_new(const struct config *config)
{
	struct engine_worker *w = calloc(1, sizeof(*w));

	if (w != NULL)
		w->config = config;
	return w;
}

void
engine_worker_free(struct engine_worker *w)
{
	if (w == NULL)
		return;
	upstream_leave(w->upstream);
	free(w->quirks);
	free(w);
}

struct engine_quirks *
engine_worker_quirks(
    struct engine_worker *w, const struct engine_config *engine)
{
	const struct config *c = w->config;

	if (c == NULL || engine < c->engines ||
	    engine >= c->engines + c->n_engines)
		return NULL;
	if (w->quirks == NULL)
		w->quirks = calloc(c->n_engines, sizeof(*w->quirks));
	return w->quirks == NULL ? NULL : &w->quirks[engine - c->engines];
}

enum err
engine_worker_upstream(struct engine_worker *w, struct upstream **upstream)
{
	enum err err = ERR_NONE;

	if (w->upstream == NULL)
		err = upstream_join(&w->upstream);
	*upstream = w->upstream;
	return err;
}

enum err
engine_start(const struct engine_config *engine,
    const struct engine_request *request, struct engine_worker *worker,
    struct arena *arena, struct engine_run **run)
{
	size_t i;

	*run = NULL;
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kinds[i].kind, engine->kind) == 0)
			return kinds[i].start(
			    engine, request, worker, arena, run);
	return ERR_CONFIG;
}

const char *
engine_fault_text(enum engine_fault fault)
{
	static const char *const texts[] = {
	    [FAULT_NONE] = "no fault",
	    [FAULT_NOT_CONFIGURED] = "No model is set up.",
	    [FAULT_CREDENTIALS] = "Incorrect API key provided",
	    [FAULT_QUOTA] = "The model's quota is used up.",
	    [FAULT_RATE_LIMIT] = "Rate Limit Error",
	    [FAULT_MODEL] = "The model is not known.",
	    [FAULT_REFUSED] = "Completion request failed.",
	    [FAULT_UNREACHABLE] = "The model cannot be reached.",
	    [FAULT_TIMEOUT] = "The model took too long.",
	    [FAULT_CUT] = "The model's answer broke off.",
	    [FAULT_MALFORMED] = "The model's reply was not understood.",
	    [FAULT_TOO_BIG] = "The model's answer is too long.",
	    [FAULT_INTERNAL] = "Internal Server Error",
	};

	return texts[fault];
}

bool
engine_fault_at_work(enum engine_fault fault)
{
	return fault == FAULT_TIMEOUT || fault == FAULT_CUT ||
	    fault == FAULT_MALFORMED || fault == FAULT_TOO_BIG;
}

struct failed_run {
	struct engine_run run;
	enum engine_fault fault;
	const char *message;
};

static void
failed_next(struct engine_run *run, int64_t now_ms,
    const struct interests *ready, struct engine_event *event)
{
	struct failed_run *f = (struct failed_run *)run;

	(void)now_ms;
	(void)ready;
	*event = (struct engine_event){
	    .kind = ENGINE_ERROR, .fault = f->fault, .message = f->message};
}

static void
failed_interests(struct engine_run *run, struct interests *in)
{
	(void)run;
	interests_wake(in, 0);
}

static void
failed_free(struct engine_run *run)
{
	(void)run; /* it lives in the arena */
}

enum err
engine_start_failed(struct arena *arena, enum engine_fault fault,
    const char *message, struct engine_run **run)
{
	static const struct engine_run_ops ops = {
	    failed_next,
	    failed_interests,
	    failed_free,
	};
	struct failed_run *f = arena_alloc(arena, sizeof(*f));

	*run = NULL;
	if (f == NULL)
		return ERR_MEMORY;
	f->run.ops = &ops;
	f->run.hopeless = true;
	f->fault = fault;
	f->message = message;
	*run = &f->run;
	return ERR_NONE;
}

/* ---- counting tokens ---------------------------------------------------- */

enum script { SPACE, WORD_ASCII, DIGIT, WORD_OTHER, IDEOGRAPH, MARK, PICTURE };

static enum script
script_of(uint32_t c)
{
	if (c <= ' ' || c == 0x7F || c == 0xA0 || c == 0x3000 ||
	    (c >= 0x80 && c < 0xA0) || (c >= 0x2000 && c <= 0x200F) ||
	    (c >= 0x2028 && c <= 0x202F) || c == 0xFEFF)
		return SPACE;
	if (c < 0x80) {
		if (text_is_digit((char)c))
			return DIGIT;
		return text_is_alpha((char)c) ? WORD_ASCII : MARK;
	}
	if (c < 0xC0 || (c >= 0x2010 && c <= 0x2BFF) ||
	    (c >= 0x3001 && c <= 0x303F) || (c >= 0xFF01 && c <= 0xFF0F))
		return MARK;
	if ((c >= 0x3040 && c <= 0x9FFF) || (c >= 0xAC00 && c <= 0xD7FF) ||
	    (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x20000 && c <= 0x3FFFF))
		return IDEOGRAPH;
	if (c >= 0x10000 || c == UTF8_INVALID)
		return PICTURE;
	return WORD_OTHER;
}

/*
 * What byte-pair vocabularies do on average: a word of up to six Latin
 * letters is one token and each further four one more; three digits are
 * one; other alphabets take one for two letters, ideographs and syllables
 * one each, pictures two; a mark is one.
 */
static int64_t
tokens_of_run(enum script script, int64_t n)
{
	switch (script) {
	case SPACE:
		return 0;
	case WORD_ASCII:
		return n <= 6 ? 1 : 1 + (n - 6 + 3) / 4;
	case DIGIT:
		return (n + 2) / 3;
	case WORD_OTHER:
		return (n + 1) / 2;
	case PICTURE:
		return 2 * n;
	case IDEOGRAPH:
	case MARK:
		break;
	}
	return n;
}

int64_t
engine_count_tokens(struct span text)
{
	enum script run = SPACE, script;
	int64_t tokens = 0, n = 0;
	size_t at = 0;

	while (at < text.len) {
		script = script_of(utf8_next(text, &at));
		if (script != run) {
			tokens += tokens_of_run(run, n);
			run = script;
			n = 0;
		}
		n++;
	}
	return tokens + tokens_of_run(run, n);
}

int64_t
engine_count_prompt(const struct engine_request *request)
{
	int64_t tokens = 0;
	size_t i;

	for (i = 0; i < request->n_prompt; i++)
		tokens += engine_count_tokens(request->prompt[i].content);
	return tokens;
}

void
engine_bound(const struct engine_config *engine,
    const struct engine_request *request, struct engine_bound *bound)
{
	int64_t tokens, most, per = engine->bytes_per_token;
	struct span text;
	size_t i;

	*bound = (struct engine_bound){engine_count_prompt(request), -1};
	if (strcmp(engine->kind, "openai") != 0)
		return;
	bound->prompt = FRAME_TOKENS;
	for (i = 0; i < request->n_prompt; i++) {
		text = request->prompt[i].content;
		tokens = engine_count_tokens(text);
		most = (int64_t)text.len / (per > 1 ? per : 1);
		bound->prompt +=
		    (tokens > most ? tokens : most) + MESSAGE_TOKENS;
	}
	if (engine->vision)
		bound->prompt += (int64_t)request->n_files * IMAGE_TOKENS;
}
