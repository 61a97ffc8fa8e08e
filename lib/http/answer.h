/*
 * An answer that is not finished when its handler returns: it waits for an
 * upstream, for the clock, or for work that may block (the store, files).  A
 * step does none of that: it says what it waits for, and whoever drives the
 * answer (lib/app/drive.c: poll(2), one answer at a time) waits on that and
 * on the client together, or has the work done, and lets it take its next
 * step.  A driver for thousands of answers in one loop needs nothing more.
 *
 * One thread at a time owns an answer: its driver or, from ANSWER_WORK until
 * answer_work() returns, the worker that does its work.  Whatever happens to
 * an answer meanwhile (its client leaves, the process is told to end) only
 * leaves a mark, which its next step finds.
 */
#ifndef PARLANCE_ANSWER_H
#define PARLANCE_ANSWER_H

#include <poll.h>
#include <stdatomic.h>
#include <stdbool.h>
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
	ANSWER_WORK, /* answer_work() on a thread that may block, then step */
	ANSWER_DONE  /* everything is written and recorded */
};

struct answer;

struct answer_ops {
	/* Does what can be done without waiting, up to some quota.  `ready`
	 * is the result of the last poll on what interests gave (revents
	 * filled in), or NULL the first time and after work. */
	enum answer_state (*step)(struct answer *a, int64_t now_ms,
	    const struct interests *ready);
	/* The part that may block; never writes to the client. */
	void (*work)(struct answer *a);
	void (*interests)(struct answer *a, struct interests *in);
	/* The client has left: stop the upstream, record what there is.
	 * Called once, before a step; steps follow until ANSWER_DONE. */
	void (*client_gone)(struct answer *a);
	/* Frees it, at any moment but while work is done. */
	void (*release)(struct answer *a);
};

/* Embedded in what answers, as its first member. */
struct answer {
	const struct answer_ops *ops;
	struct answer *next;  /* the driver's: in a queue of work, say */
	atomic_bool working;  /* a worker owns it */
	atomic_bool gone;     /* the mark that answer_gone() leaves */
	bool gone_told;
};

void answer_init(struct answer *a, const struct answer_ops *ops);
/* By the driver, which owns it. */
enum answer_state answer_step(struct answer *a, int64_t now_ms,
    const struct interests *ready);
/* After ANSWER_WORK, on any thread; afterwards the driver owns it again. */
void answer_work(struct answer *a);
/* The client has left.  On any thread, at any moment before it is
 * released. */
void answer_gone(struct answer *a);

#endif
