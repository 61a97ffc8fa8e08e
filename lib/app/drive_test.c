#include "app/drive.h"

#include <check.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

Suite *drive_suite(void);

/* An answer that waits for a byte, or for its wake-up time. */
struct fake {
	struct answer answer;
	int fd;            /* waited for; -1: only the clock */
	int64_t wake_ms;
	int steps, gone, works;
	bool wants_work;
	bool readable;     /* the last step saw the descriptor ready */
};

struct fake_gateway {
	struct gateway gateway;
	int fd;
	bool gone;
};

static enum answer_state
step(struct answer *a, int64_t now_ms, const struct interests *ready)
{
	struct fake *f = (struct fake *)a;

	f->steps++;
	ck_assert_int_eq(ready == NULL, f->steps == 1 || f->works > 0);
	if (f->gone)
		return ANSWER_DONE;
	if (f->wants_work)
		return ANSWER_WORK;
	if (ready != NULL && ready->n > 0 &&
	    (ready->fds[0].revents & POLLIN) != 0) {
		f->readable = true;
		return ANSWER_DONE;
	}
	return ready != NULL && now_ms >= f->wake_ms ? ANSWER_DONE
						     : ANSWER_WAIT;
}

static void
interests(struct answer *a, struct interests *in)
{
	struct fake *f = (struct fake *)a;

	if (f->fd >= 0)
		interests_fd(in, f->fd, POLLIN);
	interests_wake(in, f->wake_ms);
}

static void
gone(struct answer *a)
{
	((struct fake *)a)->gone++;
}

static int
client_fd(struct gateway *g, short *events)
{
	*events = POLLIN;
	return ((struct fake_gateway *)g)->fd;
}

static bool
client_gone(struct gateway *g)
{
	struct fake_gateway *f = (struct fake_gateway *)g;
	struct pollfd p = {f->fd, POLLIN, 0};

	return f->gone || (f->fd >= 0 && poll(&p, 1, 0) > 0);
}

static const struct gateway_ops ops = {
    .client_fd = client_fd, .client_gone = client_gone};

/* Work that a worker has: its client leaves while it is done. */
static void
work(struct answer *a)
{
	struct fake *f = (struct fake *)a;

	f->works++;
	answer_gone(a);
	ck_assert_int_eq(f->gone, 0); /* a mark, no more */
}

static const struct answer_ops fake_ops = {
    .step = step,
    .work = work,
    .interests = interests,
    .client_gone = gone};

static struct fake
fake_new(int fd, int64_t wait_ms)
{
	struct fake f = {.fd = fd, .wake_ms = clock_monotonic_ms() + wait_ms};

	answer_init(&f.answer, &fake_ops);
	return f;
}

START_TEST(the_clock_wakes_it)
{
	struct fake f = fake_new(-1, 20);
	struct fake_gateway g = {.gateway = {.ops = &ops}, .fd = -1};
	int64_t start = clock_monotonic_ms();

	drive_answer(&f.answer, &g.gateway);
	ck_assert_int_ge(clock_monotonic_ms() - start, 19);
	ck_assert_int_le(f.steps, 4); /* it does not spin */
	ck_assert_int_eq(f.gone, 0);
}
END_TEST

START_TEST(a_ready_descriptor_wakes_it_at_once)
{
	int pipes[2];
	struct fake f;
	struct fake_gateway g = {.gateway = {.ops = &ops}, .fd = -1};

	ck_assert_int_eq(pipe(pipes), 0);
	ck_assert_int_eq(write(pipes[1], "x", 1), 1);
	f = fake_new(pipes[0], 60000);
	drive_answer(&f.answer, &g.gateway);
	ck_assert(f.readable);
	ck_assert_int_eq(f.steps, 2);
	(void)close(pipes[0]);
	(void)close(pipes[1]);
}
END_TEST

START_TEST(a_client_that_leaves_is_told_once)
{
	int pipes[2];
	struct fake f = fake_new(-1, 60000);
	struct fake_gateway g = {.gateway = {.ops = &ops}, .fd = -1};

	ck_assert_int_eq(pipe(pipes), 0);
	g.fd = pipes[0];
	(void)close(pipes[1]); /* end of file: readable */
	drive_answer(&f.answer, &g.gateway);
	ck_assert_int_eq(f.gone, 1);
	ck_assert_int_eq(f.steps, 2);
	(void)close(pipes[0]);
}
END_TEST

START_TEST(work_is_done_in_place_and_then_it_goes_on)
{
	struct fake f = fake_new(-1, 60000);
	struct fake_gateway g = {.gateway = {.ops = &ops}, .fd = -1};

	f.wants_work = true;
	drive_answer(&f.answer, &g.gateway);
	ck_assert_int_eq(f.works, 1);
	ck_assert_int_eq(f.gone, 1);
	ck_assert_int_eq(f.steps, 2);
}
END_TEST

Suite *
drive_suite(void)
{
	Suite *s = suite_create("drive");
	TCase *t = tcase_create("drive");

	tcase_add_test(t, the_clock_wakes_it);
	tcase_add_test(t, a_ready_descriptor_wakes_it_at_once);
	tcase_add_test(t, a_client_that_leaves_is_told_once);
	tcase_add_test(t, work_is_done_in_place_and_then_it_goes_on);
	suite_add_tcase(s, t);
	return s;
}
