/* What an answer waits for; see the header. */
#include "http/answer.h"

#include <assert.h>

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

void
answer_init(struct answer *a, const struct answer_ops *ops)
{
	a->ops = ops;
	a->next = NULL;
	atomic_init(&a->working, false);
	atomic_init(&a->gone, false);
	a->gone_told = false;
}

enum answer_state
answer_step(struct answer *a, int64_t now_ms, const struct interests *ready)
{
	enum answer_state state;

	assert(!atomic_load(&a->working));
	if (atomic_load(&a->gone) && !a->gone_told) {
		a->gone_told = true;
		a->ops->client_gone(a);
	}
	state = a->ops->step(a, now_ms, ready);
	if (state == ANSWER_WORK)
		atomic_store(&a->working, true);
	return state;
}

void
answer_work(struct answer *a)
{
	assert(atomic_load(&a->working));
	a->ops->work(a);
	atomic_store(&a->working, false);
}

void
answer_gone(struct answer *a)
{
	atomic_store(&a->gone, true);
}
