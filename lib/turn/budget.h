/*
 * The tokens of one turn: how many it needs, what it was allowed, what its
 * engines have used (limits/limits.h reserves and settles them).
 */
#ifndef PARLANCE_BUDGET_H
#define PARLANCE_BUDGET_H

#include "engine/engine.h"

/* Tokens that a turn may use. */
struct turn_need {
	int64_t min; /* with fewer it is not worth beginning */
	int64_t max;
};

/* The longest answer of an upstream whose bot has no max_output_tokens; and
 * how much of an answer is worth asking for. */
#define TURN_ANSWER_TOKENS 2048
#define TURN_ANSWER_MIN 256

/* Zeroed at first: no limit. */
struct budget {
	int64_t allowed;  /* in all; 0: no limit */
	int64_t spent;    /* by engines that failed */
	struct engine_bound bound; /* of the engine at work, when allowed */
	int64_t max_said; /* tokens, then it is enough; 0: no limit */
	int64_t said;     /* of them, piece by piece; 0 without */
	int64_t hidden;   /* its thoughts that are not shown */
	bool ours;        /* the engine at work counts as we do */
	bool beyond;      /* it said more than it was allowed */
};

/* What the bot's engines need for the request; first: the run of the first
 * of them, if it was started. */
void budget_need(const struct config *config,
    const struct engine_request *request, const struct engine_run *first,
    struct turn_need *need);

/* Is there room for another of the bot's engines? */
bool budget_has_room(const struct budget *b,
    const struct engine_config *engine, const struct engine_request *request);

/* Holds an engine that was just started to what is left: fills in the
 * request's max_tokens. */
void budget_hold(struct budget *b, const struct engine_config *engine,
    const struct engine_run *run, struct engine_request *request);

/* Counts a piece of an answer.  False: it is enough; then *text is what may
 * still be said. */
bool budget_take(struct budget *b, struct span *text);

/* What was counted here, of an answer that did not come to its end or whose
 * model did not tell. */
void budget_estimate(const struct budget *b,
    const struct engine_request *request, struct span answer,
    struct engine_usage *usage);
/* What a model was allowed it will have kept to, where it does not tell,
 * unless we have seen otherwise. */
void budget_clamp(const struct budget *b, struct engine_usage *usage);

/* Counts what an engine has used that failed with ENGINE_ERROR. */
void budget_failed(struct budget *b, const struct engine_request *request,
    struct span answer, const struct engine_event *error);

#endif
