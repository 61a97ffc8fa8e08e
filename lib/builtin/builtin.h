/* The built-in engine: answers from the bot's own words, without a network. */
#ifndef PARLANCE_BUILTIN_H
#define PARLANCE_BUILTIN_H

#include "builtin/extract.h"
#include "builtin/intent.h"
#include "engine/engine.h"

/* An engine_start_fn.  Its first event is never ENGINE_WAIT. */
enum err builtin_start(const struct engine_config *engine,
    const struct engine_request *request, struct engine_worker *worker,
    struct arena *arena, struct engine_run **run)
    __attribute__((warn_unused_result));

/* How an answer came about. */
enum builtin_source {
	BUILTIN_ITSELF, /* a greeting, the contact, "I do not know" */
	BUILTIN_MEMORY, /* what was said in the conversation */
	BUILTIN_TEXTS,
	BUILTIN_PERSONA
};
struct builtin_report {
	enum intent intent;
	enum builtin_source source;
	struct extract_result extract;
};
/* Of a run that builtin_start() made; lives as long as its arena. */
const struct builtin_report *builtin_report(const struct engine_run *run);

#endif
