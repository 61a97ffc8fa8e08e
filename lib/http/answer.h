/*
 * An answer that is not finished when its handler returns: it waits for an
 * upstream, or for the clock.  It never blocks by itself: whoever drives it
 * (lib/app/drive.c: poll(2), one answer at a time) asks what it waits for,
 * waits on that and on the client together, and lets it take its next step.
 * A driver for thousands of answers in one loop needs nothing more.
 */
#ifndef PARLANCE_ANSWER_H
#define PARLANCE_ANSWER_H

#include <poll.h>
#include <stddef.h>
#include <stdint.h>

#define INTERESTS_MAX 16
#define INTERESTS_NEVER INT64_MAX

/* What an answer waits for. */
struct interests {
	struct pollfd fds[INTERESTS_MAX];
	size_t n;
	int64_t wake_ms; /* clock_monotonic_ms() at which to step anyway;
	                  * INTERESTS_NEVER for not at all */
};

void interests_none(struct interests *in); /* nothing, never */
/* Adds a descriptor; one too many is dropped and makes wake_ms soon, so
 * that progress is late rather than lost. */
void interests_fd(struct interests *in, int fd, short events);
void interests_wake(struct interests *in, int64_t ms); /* the earliest wins */

enum answer_state {
	ANSWER_WAIT, /* ask interests, wait, step again */
	ANSWER_DONE  /* everything is written and recorded */
};

struct answer {
	/* Does all that can be done without waiting.  `ready` is the result
	 * of the last poll on what interests gave (revents filled in), or
	 * NULL the first time. */
	enum answer_state (*step)(struct answer *a, int64_t now_ms,
	    const struct interests *ready);
	void (*interests)(struct answer *a, struct interests *in);
	/* The client has left: stop the upstream, record what there is.
	 * Afterwards step is called until it says ANSWER_DONE. */
	void (*client_gone)(struct answer *a);
	/* Frees it, at any moment. */
	void (*release)(struct answer *a);
};

#endif
