/*
 * Is a process alive that left a running row behind?
 *
 * One that can be looked up (base/process.h) is alive or dead by that.  One
 * on another host or in another container is known by its heartbeats: a row
 * of processes with a number that it raises while its turns run.  Whoever
 * looks notes the number and when, by his own monotonic clock, he saw it
 * first; one that has not moved for a minute is dead.  No wall clock decides:
 * they differ, and jump.
 */
#ifndef PARLANCE_ALIVE_H
#define PARLANCE_ALIVE_H

#include <stdbool.h>

#include "store/db.h"

struct store_pool;

/* Three heartbeats (store_heartbeat()) that did not come. */
#define ALIVE_SILENCE_MS 60000

/* Is the process of this name (process_self()) known to be dead?  Only reads;
 * one that it knows nothing of is remembered for alive_observe().  An empty
 * name is that of a program that gave none: dead. */
bool alive_is_dead(struct db *db, struct span name);

/* Notes how those were seen that alive_is_dead() knew nothing of.  To be
 * called when a request is over; does nothing when there was none, and
 * writes once a second at the most.  now_ms: clock_monotonic_ms(). */
void alive_observe(struct store_pool *p, int64_t now_ms);

/* Is there anybody for it? */
bool alive_has_unknown(void);

#endif
