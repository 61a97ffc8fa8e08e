/*
 * Engines: what makes an answer out of a prompt.  An engine run is a state
 * machine that is fed readiness and yields events; it never waits, sleeps or
 * blocks by itself (http/answer.h has the contract of waiting).
 *
 * Three engines: "builtin" (knowledge/..., answers from the bot's own words),
 * "replay" (recorded answers, for the documented examples and for tests),
 * "openai" (any server with POST .../chat/completions).
 */
#ifndef PARLANCE_ENGINE_H
#define PARLANCE_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/text.h"
#include "chat/chat.h"
#include "http/answer.h"

struct config;
struct query;
struct bot_config;
struct engine_config;

/* All that an engine may look at.  Everything lives in the turn's arena. */
struct engine_request {
	const struct config *config; /* may be NULL in tests of one engine */
	const struct bot_config *bot;
	/* The question, the last user turn. */
	struct span question;
	/* Earlier turns of this conversation, oldest first; the caller's own
	 * system turns (bot API) are among them. */
	const struct chat_message *history;
	size_t n_history;
	const struct passage *passages;
	size_t n_passages;
	/* The question's words as the search saw them; NULL: not searched. */
	const struct query *query;
	const struct chat_file *files;
	size_t n_files;
	/* The prompt as a model wants it (turn/prompt.h): system, history
	 * within the token budget, question. */
	const struct chat_message *prompt;
	size_t n_prompt;
	const char *language; /* a hint, or NULL */
	int64_t max_words;    /* 0: no limit */
	/* Tokens the answer may have; 0: the bot's max_output_tokens, else
	 * the engine's own.  May be set until the run's first event. */
	int64_t max_tokens;
	const char *user;     /* end user's opaque name, or NULL */
	/* A fault is not logged: whoever asks tells the event's details. */
	bool quiet;
};

/* What went wrong upstream; each API has its own words for it. */
enum engine_fault {
	FAULT_NONE,
	FAULT_NOT_CONFIGURED, /* the engine cannot be used as configured */
	FAULT_CREDENTIALS,    /* upstream 401 or 403 */
	FAULT_QUOTA,          /* upstream says the quota is used up */
	FAULT_RATE_LIMIT,     /* upstream 429 */
	FAULT_MODEL,          /* upstream does not know the model */
	FAULT_ADDRESS,        /* nothing is at the address: 404, a redirect */
	FAULT_FILTERED,       /* a content filter refused or cut it off */
	FAULT_REFUSED,        /* another 4xx, or an error event */
	FAULT_UNREACHABLE,    /* connect, DNS, TLS, 5xx */
	FAULT_TIMEOUT,        /* one of our clocks */
	FAULT_CUT,            /* the stream ended without its end */
	FAULT_MALFORMED,      /* not the protocol */
	FAULT_TOO_BIG,        /* over a size cap */
	FAULT_INTERNAL        /* ours */
};

/* Words for it that may reach a client: no secrets, no addresses. */
const char *engine_fault_text(enum engine_fault fault);

/* Had a model read the request when this happened, as far as one can tell?
 * Then its tokens were used. */
bool engine_fault_at_work(enum engine_fault fault);

enum engine_event_kind {
	ENGINE_WAIT,  /* nothing now: ask interests */
	ENGINE_DELTA, /* text, len: valid until the next call */
	ENGINE_RETRACT, /* all deltas so far were thoughts: no answer */
	ENGINE_END,   /* complete; usage is filled in */
	ENGINE_ERROR  /* failed; fault and message are filled in */
};

struct engine_usage {
	int64_t prompt_tokens, completion_tokens;
	bool estimated; /* counted here, not told by the upstream */
};

struct engine_event {
	enum engine_event_kind kind;
	struct span text;
	struct engine_usage usage;
	enum engine_fault fault;
	const char *message; /* for the client; no secrets, no addresses */
	const char *details; /* ENGINE_ERROR: for the operator, or NULL */
	bool streamed;       /* ENGINE_END: an upstream's came as a stream */
	bool usage_reported; /* ENGINE_ERROR: usage is filled in all the same */
	int retry_after_s;   /* FAULT_RATE_LIMIT; 0 when not told */
	/* ENGINE_END: what the answer was really made from, when the engine
	 * knows better than the request.  NULL: the request's passages. */
	const struct passage *passages;
	size_t n_passages;
	double latency_s;    /* ENGINE_END: recorded; 0: to be measured */
};

struct engine_run;

struct engine_run_ops {
	/* The next event.  After ENGINE_END or ENGINE_ERROR only free. */
	void (*next)(struct engine_run *run, int64_t now_ms,
	    const struct interests *ready, struct engine_event *event);
	void (*interests)(struct engine_run *run, struct interests *in);
	/* Frees it at any moment; an upstream call is broken off at once. */
	void (*free)(struct engine_run *run);
};

/* Tokens, at the most. */
struct engine_bound {
	int64_t prompt;
	int64_t answer; /* negative: as many as the request allows */
};

/* Engines embed this as their first member. */
struct engine_run {
	const struct engine_run_ops *ops;
	/* What it will tell as its usage at the most, where that is known
	 * from the start. */
	bool bound_known;
	struct engine_bound bound;
	bool hopeless; /* its only event is an error */
	/* Tokens that the model has said and that are in no delta: thoughts
	 * that are not shown. */
	int64_t hidden_tokens;
};

/* What belongs to one worker thread: upstream connections.  Made lazily, so
 * a worker that never goes upstream never pays. */
struct engine_worker;
struct engine_worker *engine_worker_new(const struct config *config);
void engine_worker_free(struct engine_worker *w); /* NULL is fine */

/* How one engine is started.  ERR_NONE gives a run, whose first event may
 * be ENGINE_ERROR; other results are our own failures. */
typedef enum err (*engine_start_fn)(const struct engine_config *engine,
    const struct engine_request *request, struct engine_worker *worker,
    struct arena *arena, struct engine_run **run);

/*
 * What an engine may count for this request, before it is started.
 *
 * "openai": no text has more tokens than bytes, whatever the vocabulary (or
 * than bytes_per_token says, which is the operator's word), and a
 * conversation's frame is given 16 tokens for each message and 128 for the
 * whole.  Images have no such bound; each is given 2,048.  The others count
 * with tokens_count().
 */
void engine_bound(const struct engine_config *engine,
    const struct engine_request *request, struct engine_bound *bound);

/* A run whose only event is this error; message must outlive it. */
enum err engine_start_failed(struct arena *arena, enum engine_fault fault,
    const char *message, struct engine_run **run)
    __attribute__((warn_unused_result));

/* The worker's upstream connections (upstream/upstream.h), made at the first
 * call.  ERR_UPSTREAM when libcurl cannot be loaded; ERR_MEMORY. */
struct upstream;
enum err engine_worker_upstream(struct engine_worker *w,
    struct upstream **upstream) __attribute__((warn_unused_result));
/* What the worker has learnt of an engine's server. */
struct engine_quirks {
	bool no_usage;       /* it does not know stream_options */
	bool max_completion; /* it wants max_completion_tokens */
	bool thinks_first;   /* its answers begin inside thoughts */
};
/* NULL when there is no room. */
struct engine_quirks *engine_worker_quirks(struct engine_worker *w,
    const struct engine_config *engine);

/* The tokens of the whole prompt, as tokens_count() counts them. */
int64_t engine_count_prompt(const struct engine_request *request);

#endif
