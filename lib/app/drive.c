/*
 * Waiting happens here and nowhere else: on what the answer waits for, on
 * the client, and on the clock, all at once.
 */
#include "app/drive.h"

#include <limits.h>
#include <string.h>

#include "base/clock.h"

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

/* Polls the interests and the client; fills in the revents of *in. */
static void
wait_for(struct interests *in, struct gateway *g, bool watch_client)
{
	struct pollfd fds[INTERESTS_MAX + 1];
	size_t n = in->n, i;
	int client = -1;

	memcpy(fds, in->fds, n * sizeof(fds[0]));
	if (watch_client) {
		fds[n].events = 0;
		client = g->ops->client_fd(g, &fds[n].events);
		fds[n].fd = client;
		fds[n].revents = 0;
	}
	/* EINTR is SIGTERM under CGI: client_gone tells the caller. */
	if (poll(fds, (nfds_t)(n + (client >= 0 ? 1 : 0)), timeout_ms(in)) <=
	    0)
		for (i = 0; i < n; i++)
			fds[i].revents = 0;
	for (i = 0; i < n; i++)
		in->fds[i].revents = fds[i].revents;
}

void
drive_answer(struct answer *a, struct gateway *g)
{
	struct interests in;
	bool gone = false, first = true;

	interests_none(&in);
	while (a->step(a, clock_monotonic_ms(), first ? NULL : &in) ==
	    ANSWER_WAIT) {
		first = false;
		interests_none(&in);
		a->interests(a, &in);
		wait_for(&in, g, !gone);
		if (!gone && g->ops->client_gone(g)) {
			gone = true;
			a->client_gone(a);
		}
	}
}
