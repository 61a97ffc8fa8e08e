/*
 * The replay engine: answers that were recorded, word for word, for the
 * documented examples, for demonstrations and for tests without a network.
 *
 * `recordings` names a JSON file:
 *
 *   {"recordings": [{
 *     "bot": "taxson",             slug; absent: any bot
 *     "question": "How ...?",      compared without outer blanks; absent:
 *                                  any question
 *     "answer": ["To", " pay"],    the deltas in order; or one text
 *     "usage": {"prompt_tokens": 12, "completion_tokens": 3},
 *                                  absent: counted here, as an estimate
 *     "latency": 0.7682376249867957,   seconds; absent: measured
 *     "retriever_resources": [{"dataset_id": ..., "content": ...}],
 *                                  absent: the passages that were found
 *     "delay_ms": 0,               before the first delta
 *     "pace_ms": 0,                before each later one
 *     "fault": "cut",              ends in this fault instead of an end:
 *                                  credentials, quota, rate_limit, model,
 *                                  refused, unreachable, timeout, cut,
 *                                  malformed, too_big, internal
 *     "message": "..."             the fault's text
 *   }]}
 *
 * The first entry that fits answers.  When none does, the engine fails with
 * FAULT_MODEL, so that a fall-back engine may answer.  Unknown members are
 * ignored.
 */
#ifndef PARLANCE_REPLAY_H
#define PARLANCE_REPLAY_H

#include "base/buf.h"
#include "engine/engine.h"

/* An engine_start_fn. */
enum err replay_start(const struct engine_config *engine,
    const struct engine_request *request, struct engine_worker *worker,
    struct arena *arena, struct engine_run **run)
    __attribute__((warn_unused_result));

#endif
