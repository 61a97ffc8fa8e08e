/*
 * Waiting happens here and nowhere else: on what the answer waits for, on
 * the client, and on the clock, all at once.  What may block is done in
 * place: this thread has no other answer.
 */
#include "app/drive.h"

#include <limits.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"

/* Below any frame of a waiting answer; a worker's stack is 256 KB. */
#define STACK_BELOW ((uintptr_t)64 * 1024)
/* What a call below that needs. */
#define STACK_OF_CALL ((uintptr_t)512)
/* An answer that waits that often is worth a system call. */
#define WAITS_OF_A_STREAM 4

static int
timeout_ms(const struct interests *in)
{
	int64_t left;

	if (in->wake_ms == INTERESTS_NEVER)
		return -1;
	left = in->wake_ms - clock_monotonic_ms();
	if (left < 0)
		return 0;
	return left > INT_MAX ? INT_MAX : (int)left;
}

/*
 * Polls the interests and the client; fills in the revents of *in.  False
 * when the client is certainly still there; else its gateway knows.
 */
static bool
wait_for(struct interests *in, struct gateway *g, bool watch_client)
{
	struct pollfd fds[INTERESTS_MAX + 1];
	size_t n = in->n, i;
	int client = -1, found;

	memcpy(fds, in->fds, n * sizeof(fds[0]));
	if (watch_client) {
		fds[n].events = 0;
		client = g->ops->client_fd(g, &fds[n].events);
		fds[n].fd = client;
		fds[n].revents = 0;
	}
	found = poll(fds, (nfds_t)(n + (client >= 0 ? 1 : 0)),
	    timeout_ms(in));
	for (i = 0; i < n; i++)
		in->fds[i].revents = found <= 0 ? 0 : fds[i].revents;
	if (!watch_client)
		return false;
	/* Under CGI SIGTERM is a client that has left, at any moment. */
	return g->cgi || client < 0 || found < 0 ||
	    (found > 0 && fds[n].revents != 0);
}

/*
 * Reading a request and asking the store went deeper into the stack than
 * waiting does.  Those pages go back to the system: of a thousand streams
 * that wait, each holds 12 KB less.  A token needs no deeper stack than the
 * page that this stands on.
 */
static __attribute__((noinline)) void
give_back_stack(void)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t here = (uintptr_t)__builtin_frame_address(0);
	uintptr_t end = (here - STACK_OF_CALL) / page * page;

	(void)madvise((void *)(end - STACK_BELOW), STACK_BELOW,
	    MADV_DONTNEED);
}

void
drive_answer(struct answer *a, struct gateway *g)
{
	const struct interests *ready = NULL;
	enum answer_state state;
	struct interests in;
	bool gone = false;
	size_t waits = 0;

	while ((state = answer_step(a, clock_monotonic_ms(), ready)) !=
	    ANSWER_DONE) {
		ready = NULL;
		if (state == ANSWER_WORK) {
			answer_work(a);
			continue;
		}
		interests_none(&in);
		a->ops->interests(a, &in);
		if (++waits == WAITS_OF_A_STREAM)
			give_back_stack();
		if (wait_for(&in, g, !gone) && g->ops->client_gone(g)) {
			gone = true;
			answer_gone(a);
		}
		ready = &in;
	}
	/* Its worker is idle next, with many others perhaps. */
	if (waits >= WAITS_OF_A_STREAM)
		give_back_stack();
}
