/* What an answer waits for; see the header. */
#include "http/answer.h"

void
interests_none(struct interests *in)
{
	in->n = 0;
	in->wake_ms = INTERESTS_NEVER;
}

void
interests_fd(struct interests *in, int fd, short events)
{
	if (in->n == INTERESTS_MAX) {
		/* A moment that has passed: the driver steps at once. */
		in->wake_ms = 0;
		return;
	}
	in->fds[in->n++] = (struct pollfd){.fd = fd, .events = events};
}

void
interests_wake(struct interests *in, int64_t ms)
{
	if (ms < in->wake_ms)
		in->wake_ms = ms;
}
