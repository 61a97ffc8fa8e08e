/*
 * The turn: one question on its way to an answer, the core that every API is
 * a view of.  A handler parses its own dialect into a turn_setup, starts the
 * turn, and writes the turn's events in its own dialect.  The turn finds the
 * passages, builds the prompt, runs the engine (or its fall-backs), counts
 * usage and prices.  It never waits by itself (http/answer.h).
 *
 * What the store keeps of a turn is the handler's: the messages API keeps
 * conversations, the bot API counts usage.
 */
#ifndef PARLANCE_TURN_H
#define PARLANCE_TURN_H

#include "engine/engine.h"
#include "turn/budget.h"
#include "turn/turn_setup.h"
#include "usage/pricing.h"

struct db;
struct store_pool;

enum turn_event_kind {
	TURN_WAIT,
	TURN_WORK,  /* turn_work(), where that may block, then go on */
	TURN_DELTA, /* text */
	TURN_END,   /* complete, or stopped; result is final */
	TURN_ERROR  /* failed; result is what there was until then */
};

struct turn_event {
	enum turn_event_kind kind;
	struct span text;         /* valid until the next call */
	enum engine_fault fault;
	const char *message;      /* for the client */
	int retry_after_s;
	enum err err;             /* TURN_ERROR: of ours, before anybody was
	                           * asked; else ERR_NONE */
};

/* What is known about the turn; complete after TURN_END or TURN_ERROR. */
struct turn_result {
	struct span answer;       /* all deltas so far */
	const struct passage *passages; /* what the answer was made from */
	size_t n_passages;
	struct usage usage;       /* tokens and prices */
	bool usage_estimated;
	/* Deltas were thoughts, as turned out later: they are not in answer,
	 * which is what a view should show instead of them. */
	bool retracted;
	bool stopped;             /* turn_stop() or turn_limit ended it */
	double latency_s;
	double first_token_s;     /* negative when there was none */
	int64_t spent_tokens;     /* of all engines that were asked */
	int64_t context_words, context_tokens; /* what we added: persona,
	                                        * passages (bot API 9) */
};

struct turn;

/* Only takes the setup; all failures after ERR_MEMORY come as events. */
enum err turn_start(const struct turn_setup *setup, struct turn **turn)
    __attribute__((warn_unused_result));
/* Does the part that may block: the check for changed files, the search, the
 * start of an engine of ours.
 * On any thread, while nobody else touches the turn. */
void turn_work(struct turn *t);
/* Is the search done, and nobody asked yet? */
bool turn_prepared(const struct turn *t);
/*
 * What the turn needs, known once it is prepared.  An engine of ours has its
 * answer by then: the figure is exact.  For one upstream it is the bound of
 * its prompt (engine_bound()) and the longest answer: max_output_tokens, else
 * TURN_ANSWER_TOKENS; of that, TURN_ANSWER_MIN are worth beginning for.
 */
void turn_need(const struct turn *t, struct turn_need *need);
/*
 * Holds the turn to so many tokens in all, at least need.min; to be called
 * while it is prepared.  0: to no number.  An upstream is told how long its
 * answer may be; one that goes on far beyond that is broken off, as at the
 * end of its answer.  A fall-back that does not fit into what is left is not
 * asked.  So spent_tokens stay within it, unless an upstream tells that it
 * used more than it was allowed or than engine_bound() knows of.
 */
void turn_allow(struct turn *t, int64_t tokens);
void turn_next(struct turn *t, int64_t now_ms, const struct interests *ready,
    struct turn_event *event);
void turn_interests(struct turn *t, struct interests *in);
/* Breaks off the engine; the next event is TURN_END with what there is. */
void turn_stop(struct turn *t);
const struct turn_result *turn_result(const struct turn *t);
/* Were segments found for it, which turn_store_hits() counts? */
bool turn_has_hits(const struct turn *t);
/* Counts the segments that were found for it; part of a store_change that
 * the handler makes at its end. */
enum err turn_store_hits(const struct turn *t, struct db *db)
    __attribute__((warn_unused_result));
void turn_free(struct turn *t); /* NULL is fine */

#endif
