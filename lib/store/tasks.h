/*
 * Running answers that a request in any process may stop
 * (contracts/chat-messages.md 6).
 *
 * A streamed answer leaves a row while it runs; the stop request marks the
 * row; the process that runs the answer looks for marked rows four times a
 * second, once for all of its streams.  The row goes with the answer.  One
 * that a killed process left behind is swept after half an hour, so nothing
 * is "running" for ever.
 */
#ifndef PARLANCE_TASKS_H
#define PARLANCE_TASKS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/uuid.h"
#include "store/db.h"
#include "store/store.h"

/* ---- rows: the caller's connection, inside its transaction if any ------- */

/* The task runs from now on; it belongs to this bot and end user.  Sweeps a
 * few forgotten rows as well. */
enum err task_insert(struct db *db, const char *task_id, const char *bot_uid,
    struct span user) __attribute__((warn_unused_result));
/* It has ended.  An unknown id is fine. */
enum err task_delete(struct db *db, const char *task_id)
    __attribute__((warn_unused_result));
/* Asks the task to stop, when it runs and belongs to bot and user; does
 * nothing, and is ERR_NONE, otherwise.  *known (may be NULL) tells which. */
enum err task_request_stop(struct db *db, struct span task_id,
    const char *bot_uid, struct span user, bool *known)
    __attribute__((warn_unused_result));

/* ---- the watch of one running answer ------------------------------------ */

/* Lives in the answer; no member is for others. */
struct task_watch {
	struct task_watch *next, *prev;
	struct store_pool *pool;
	char id[UUID_TEXT];
	atomic_bool stop;
	bool watched;
};

/* How soon a stream should ask again: interests_wake(in, now + this). */
#define TASK_WATCH_MS 300

/* From now on the watch notices a stop request for this task. */
void task_watch_begin(struct task_watch *w, struct store_pool *pool,
    const char *task_id);
/* Was it asked to stop, as far as the process knows? */
bool task_watch_stopped(const struct task_watch *w);
/* Is it time to look?  At most once in 250 ms one of the process's watches
 * is told so, and then must look for all of them. */
bool task_watch_due(const struct task_watch *w, int64_t now_ms);
/* Looks: one query, which may block. */
void task_watch_look(const struct task_watch *w);
/* Always call it before the watch's memory goes; twice is fine, and so is
 * one that never began (zeroed). */
void task_watch_end(struct task_watch *w);

#endif
