/*
 * Workers that accept by themselves; see the header.
 *
 * Each of the few that wait for connections does so at a place (an epoll
 * descriptor) of its own that wakes for it alone (EPOLLEXCLUSIVE), the first
 * place first: so a quiet site keeps using the same warm worker, and under
 * load a connection costs no other wake-up than the one by the kernel.
 */
#include "workers.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "gateway_fcgi.h"

/* Room for the deepest call (SQLite, JSON, TLS); only touched pages cost. */
#if defined(__SANITIZE_ADDRESS__)
#define STACK_BYTES (4U << 20)
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define STACK_BYTES (4U << 20)
#endif
#endif
#ifndef STACK_BYTES
#define STACK_BYTES (256U << 10)
#endif
#define HEAD_LIMIT_MS 30000  /* for the whole head of a request */
#define IDLE_S 20            /* then a worker that is not needed ends */
#define KEPT_IDLE 8
#define SLOTS 16            /* workers that wait for connections, most */
#define DRAIN_MS 300         /* this long without a connection: drained */
#define RETRY_MS 100         /* after accept failed for want of something */
#define LOG_EVERY_MS 60000

/* An app, alive as long as somebody uses it. */
struct generation {
	struct app *app;
	size_t users; /* under the lock */
};

struct worker {
	struct workers *all;
	struct worker *next, *previous; /* of all workers */
	struct worker *below;           /* of the idle ones */
	bool idle;                      /* it is one of those */
	int slot;                      /* where it accepts; -1 */
	bool ending;
	pthread_cond_t wake;
	struct generation *generation;  /* engine's, or NULL */
	struct engine_worker *engine;
	pthread_mutex_t watch;          /* of the two below */
	int fd;                         /* being served; -1 */
	int64_t head_until_ms;          /* 0: the head was read */
};

struct workers {
	pthread_mutex_t lock;
	pthread_cond_t ended;
	struct generation *current;
	struct worker *first, *idle;
	size_t n, max;
	size_t accepting;               /* places taken */
	struct {
		int epoll;
		bool taken;
	} slots[SLOTS];
	int listen_fd, kick_fd;
	int64_t accepted_ms;            /* when the last one was */
	bool stopping, draining, failed_once;
	int64_t logged_ms;
};

static void *worker_main(void *arg);

/* ---- generations -------------------------------------------------------- */

/* Under the lock; what it returns is freed outside of it. */
static struct generation *
let_go(struct generation *g)
{
	if (g == NULL || --g->users > 0)
		return NULL;
	return g;
}

static void
generation_free(struct generation *g)
{
	if (g == NULL)
		return;
	app_free(g->app);
	free(g);
}

/* Drops the worker's engine connections when they belong to an old app. Under
 * the lock, which it opens meanwhile. */
static void
drop_old(struct worker *w)
{
	struct workers *all = w->all;
	struct engine_worker *engine = w->engine;
	struct generation *old = w->generation;

	if (old == NULL || (old == all->current && !w->ending))
		return;
	w->engine = NULL;
	w->generation = NULL;
	(void)pthread_mutex_unlock(&all->lock);
	engine_worker_free(engine);
	(void)pthread_mutex_lock(&all->lock);
	old = let_go(old);
	if (old == NULL)
		return;
	(void)pthread_mutex_unlock(&all->lock);
	generation_free(old);
	(void)pthread_mutex_lock(&all->lock);
}

/* The current app, and what belongs to this worker of it. Under the lock. */
static void
take_current(struct worker *w)
{
	drop_old(w);
	if (w->generation != NULL)
		return;
	w->generation = w->all->current;
	w->generation->users++;
	w->engine = engine_worker_new(app_config(w->generation->app));
}

/* ---- places ------------------------------------------------------------- */

/* Wakes all that wait for a connection, to look at what has changed. */
static void
kick(struct workers *all)
{
	uint64_t one = 1;

	if (write(all->kick_fd, &one, sizeof(one)) < 0)
		return; /* it counts to 2^64 */
}

static bool
open_slot(struct workers *all, int *slot)
{
	struct epoll_event connection = {.events = EPOLLIN | EPOLLEXCLUSIVE};
	/* At its edge: each place is told once of each kick. */
	struct epoll_event kicked = {.events = EPOLLIN | EPOLLET};

	*slot = epoll_create1(EPOLL_CLOEXEC);
	return *slot >= 0 &&
	    epoll_ctl(*slot, EPOLL_CTL_ADD, all->listen_fd, &connection) ==
		0 &&
	    epoll_ctl(*slot, EPOLL_CTL_ADD, all->kick_fd, &kicked) == 0;
}

static bool
open_slots(struct workers *all)
{
	size_t i;

	for (i = 0; i < SLOTS; i++)
		all->slots[i].epoll = -1;
	all->kick_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (all->kick_fd < 0)
		return false;
	for (i = 0; i < SLOTS; i++)
		if (!open_slot(all, &all->slots[i].epoll))
			return false;
	return true;
}

static void
close_slots(struct workers *all)
{
	size_t i;

	for (i = 0; i < SLOTS; i++)
		if (all->slots[i].epoll >= 0)
			(void)close(all->slots[i].epoll);
	if (all->kick_fd >= 0)
		(void)close(all->kick_fd);
}

/* The first free one; false: there is none. Under the lock. */
static bool
take_slot(struct worker *w)
{
	struct workers *all = w->all;
	int i;

	for (i = 0; i < SLOTS; i++)
		if (!all->slots[i].taken) {
			all->slots[i].taken = true;
			all->accepting++;
			w->slot = i;
			return true;
		}
	return false;
}

static void
leave_slot(struct worker *w)
{
	w->all->slots[w->slot].taken = false;
	w->all->accepting--;
	w->slot = -1;
}

/* ---- workers ------------------------------------------------------------ */

static struct worker *
add_worker(struct workers *all)
{
	struct worker *w = calloc(1, sizeof(*w));
	pthread_condattr_t attr;

	if (w == NULL)
		return NULL;
	if (pthread_condattr_init(&attr) != 0) {
		free(w);
		return NULL;
	}
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&w->wake, &attr);
	(void)pthread_condattr_destroy(&attr);
	(void)pthread_mutex_init(&w->watch, NULL);
	w->all = all;
	w->fd = w->slot = -1;
	w->next = all->first;
	if (all->first != NULL)
		all->first->previous = w;
	all->first = w;
	all->n++;
	return w;
}

static void
remove_worker(struct worker *w)
{
	struct workers *all = w->all;

	if (w->previous != NULL)
		w->previous->next = w->next;
	else
		all->first = w->next;
	if (w->next != NULL)
		w->next->previous = w->previous;
	(void)pthread_cond_destroy(&w->wake);
	(void)pthread_mutex_destroy(&w->watch);
	free(w);
	all->n--;
	(void)pthread_cond_broadcast(&all->ended);
}

static bool
start_thread(struct worker *w)
{
	pthread_attr_t attr;
	pthread_t thread;
	bool ok;

	if (pthread_attr_init(&attr) != 0)
		return false;
	ok = pthread_attr_setstacksize(&attr, STACK_BYTES) == 0 &&
	    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED) == 0 &&
	    pthread_create(&thread, &attr, worker_main, w) == 0;
	(void)pthread_attr_destroy(&attr);
	return ok;
}

/* Nobody accepts any more: an idle worker shall, or a new one; with none to
 * be had, the next that has finished does.  Under the lock. */
static void
promote(struct workers *all)
{
	struct worker *w = all->idle;

	if (w != NULL) {
		all->idle = w->below;
		w->idle = false;
		(void)take_slot(w);
		(void)pthread_cond_signal(&w->wake);
		return;
	}
	if (all->n >= all->max || all->stopping)
		return;
	w = add_worker(all);
	if (w == NULL)
		return;
	(void)take_slot(w);
	if (start_thread(w))
		return;
	leave_slot(w);
	remove_worker(w);
	if (!all->failed_once)
		log_error("cannot make more than %zu worker threads: %s",
		    all->n, strerror(errno));
	all->failed_once = true;
}

/* Something is short (descriptors, memory): wait a little, not for ever. */
static void
accept_failed(struct workers *all, int error)
{
	int64_t now = clock_monotonic_ms();
	bool log;

	(void)pthread_mutex_lock(&all->lock);
	log = all->logged_ms == 0 || now - all->logged_ms > LOG_EVERY_MS;
	if (log)
		all->logged_ms = now;
	(void)pthread_mutex_unlock(&all->lock);
	if (log)
		log_error("cannot accept a connection: %s", strerror(error));
	(void)poll(NULL, 0, RETRY_MS);
}

/* Waits at the worker's place for a connection; -1: look what has changed.
 * After a kick too there may be one: whom it woke may be gone. */
static int
next_connection(struct worker *w, bool draining, bool *nothing)
{
	struct workers *all = w->all;
	struct epoll_event event;
	int n = epoll_wait(all->slots[w->slot].epoll, &event, 1,
	    draining ? DRAIN_MS : IDLE_S * 1000);
	int fd;

	*nothing = n == 0;
	if (n <= 0)
		return -1;
	fd = accept4(all->listen_fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd < 0 && errno != EAGAIN && errno != EINTR &&
	    errno != ECONNABORTED)
		accept_failed(all, errno);
	return fd;
}

/* ---- serving ------------------------------------------------------------ */

static void
set_serving(struct worker *w, int fd, int64_t head_until_ms)
{
	(void)pthread_mutex_lock(&w->watch);
	w->fd = fd;
	w->head_until_ms = head_until_ms;
	(void)pthread_mutex_unlock(&w->watch);
}

static void
serve(struct worker *w, int fd)
{
	struct gateway_fcgi g;
	/* While the head is read the library may close fd, and the number be
	 * another connection's at once: what is watched is ours. */
	int watched = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	bool opened;

	set_serving(w, watched, clock_monotonic_ms() + HEAD_LIMIT_MS);
	opened = gateway_fcgi_open(&g, fd);
	set_serving(w, opened ? fd : -1, 0);
	if (watched >= 0)
		(void)close(watched);
	if (!opened)
		return;
	app_serve(w->generation->app, w->engine, &g.gateway);
	/* The descriptor's number may be another's from here on. */
	set_serving(w, -1, 0);
	gateway_fcgi_close(&g);
}

static void
leave_idle(struct worker *w)
{
	struct worker **at = &w->all->idle;

	while (*at != w)
		at = &(*at)->below;
	*at = w->below;
	w->idle = false;
}

/* Waits as one of the idle.  False when nobody has needed it for long: those
 * at the bottom of the stack end, the ones in use stay.  Under the lock. */
static bool
wait_idle(struct worker *w)
{
	struct workers *all = w->all;
	struct timespec until;
	int failed;

	if (!w->idle) {
		w->idle = true;
		w->below = all->idle;
		all->idle = w;
	}
	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += IDLE_S;
	failed = pthread_cond_timedwait(&w->wake, &all->lock, &until);
	drop_old(w);
	if (failed != ETIMEDOUT || !w->idle || all->n <= KEPT_IDLE)
		return true;
	leave_idle(w);
	return false;
}

/* Waits until this worker may accept; false: it shall end. Under the lock. */
static bool
wait_for_slot(struct worker *w)
{
	while (!w->all->stopping) {
		if (w->slot >= 0)
			return true;
		if (w->idle)
			leave_idle(w);
		if (take_slot(w))
			return true;
		if (!wait_idle(w))
			return false;
	}
	if (w->slot >= 0)
		leave_slot(w);
	if (w->idle)
		leave_idle(w);
	return false;
}

/* Wakes every idle worker, to look at what has changed.  Under the lock. */
static void
wake_idle(struct workers *all)
{
	struct worker *w;

	for (w = all->idle; w != NULL; w = w->below) {
		w->idle = false;
		(void)pthread_cond_signal(&w->wake);
	}
	all->idle = NULL;
}

/* Nobody came for as long as this worker waited.  True: it shall end.  Under
 * the lock. */
static bool
nobody_came(struct workers *all)
{
	if (all->draining && clock_monotonic_ms() - all->accepted_ms >=
	    DRAIN_MS) {
		all->stopping = true;
		wake_idle(all);
		kick(all);
	}
	/* It has left its slot: does another still accept? */
	return all->accepting > 0 && all->n > KEPT_IDLE;
}

/* Accepts one connection; -1: look what has changed.  *idle: this worker is
 * one too many.  Under the lock, which it opens meanwhile. */
static int
accept_one(struct worker *w, bool *idle)
{
	struct workers *all = w->all;
	bool draining = all->draining, nothing;
	int fd;

	*idle = false;
	(void)pthread_mutex_unlock(&all->lock);
	fd = next_connection(w, draining, &nothing);
	(void)pthread_mutex_lock(&all->lock);
	leave_slot(w);
	if (nothing)
		*idle = nobody_came(all);
	if (fd < 0)
		return -1;
	if (draining)
		all->accepted_ms = clock_monotonic_ms();
	take_current(w);
	if (all->accepting == 0)
		promote(all);
	return fd;
}

static void *
worker_main(void *arg)
{
	struct worker *w = arg;
	struct workers *all = w->all;
	bool idle = false;
	int fd;

	(void)pthread_mutex_lock(&all->lock);
	while (!idle && wait_for_slot(w)) {
		drop_old(w);
		fd = accept_one(w, &idle);
		if (fd < 0)
			continue;
		(void)pthread_mutex_unlock(&all->lock);
		serve(w, fd);
		(void)pthread_mutex_lock(&all->lock);
	}
	w->ending = true;
	drop_old(w);
	remove_worker(w);
	(void)pthread_mutex_unlock(&all->lock);
	return NULL;
}

/* ---- from outside ------------------------------------------------------- */

struct workers *
workers_new(struct app *app, int listen_fd, size_t max)
{
	struct workers *all = calloc(1, sizeof(*all));
	struct generation *current = calloc(1, sizeof(*current));
	bool begun;

	if (all == NULL || current == NULL) {
		free(all);
		free(current);
		app_free(app);
		return NULL;
	}
	current->app = app;
	current->users = 1;
	all->current = current;
	all->listen_fd = listen_fd;
	all->max = max < 1 ? 1 : max;
	begun = open_slots(all);
	(void)pthread_mutex_init(&all->lock, NULL);
	(void)pthread_cond_init(&all->ended, NULL);
	(void)pthread_mutex_lock(&all->lock);
	if (begun)
		promote(all);
	begun = all->n > 0;
	(void)pthread_mutex_unlock(&all->lock);
	if (begun)
		return all;
	workers_stop(all, false);
	if (workers_wait(all, 1000) == 0)
		workers_free(all);
	return NULL;
}

enum err
workers_replace(struct workers *all, struct app *app)
{
	struct generation *next = calloc(1, sizeof(*next)), *old;

	if (next == NULL) {
		app_free(app);
		return ERR_MEMORY;
	}
	next->app = app;
	next->users = 1;
	(void)pthread_mutex_lock(&all->lock);
	old = all->current;
	all->current = next;
	old = let_go(old);
	wake_idle(all);
	kick(all);
	(void)pthread_mutex_unlock(&all->lock);
	generation_free(old);
	return ERR_NONE;
}

void
workers_tick(struct workers *all)
{
	struct pollfd waiting = {.fd = all->listen_fd, .events = POLLIN};
	int64_t now = clock_monotonic_ms();
	struct worker *w;

	(void)pthread_mutex_lock(&all->lock);
	for (w = all->first; w != NULL; w = w->next) {
		(void)pthread_mutex_lock(&w->watch);
		if (w->fd >= 0 && w->head_until_ms != 0 &&
		    now > w->head_until_ms)
			(void)shutdown(w->fd, SHUT_RDWR);
		(void)pthread_mutex_unlock(&w->watch);
	}
	(void)pthread_mutex_unlock(&all->lock);
	/* A process on the same socket that was killed just after it was
	 * woken has left a connection for which nobody else is. */
	if (poll(&waiting, 1, 0) > 0)
		kick(all);
}

void
workers_stop(struct workers *all, bool drain)
{
	(void)pthread_mutex_lock(&all->lock);
	if (drain)
		all->draining = true;
	else
		all->stopping = true;
	all->accepted_ms = clock_monotonic_ms();
	wake_idle(all);
	kick(all);
	(void)pthread_mutex_unlock(&all->lock);
}

size_t
workers_wait(struct workers *all, int ms)
{
	struct timespec until;
	size_t left;
	int failed = 0;

	(void)clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += ms / 1000;
	until.tv_nsec += (long)(ms % 1000) * 1000000L;
	if (until.tv_nsec >= 1000000000L) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000L;
	}
	(void)pthread_mutex_lock(&all->lock);
	while (all->n > 0 && failed == 0)
		failed = pthread_cond_timedwait(&all->ended, &all->lock,
		    &until);
	left = all->n;
	(void)pthread_mutex_unlock(&all->lock);
	return left;
}

size_t
workers_cut(struct workers *all)
{
	struct worker *w;
	size_t n = 0;

	(void)pthread_mutex_lock(&all->lock);
	all->stopping = true;
	for (w = all->first; w != NULL; w = w->next) {
		(void)pthread_mutex_lock(&w->watch);
		if (w->fd >= 0) {
			/* It reads as a peer that has left; what is
			 * written still arrives. */
			(void)shutdown(w->fd, SHUT_RD);
			n++;
		}
		(void)pthread_mutex_unlock(&w->watch);
	}
	(void)pthread_mutex_unlock(&all->lock);
	return n;
}

void
workers_free(struct workers *all)
{
	generation_free(all->current);
	close_slots(all);
	(void)pthread_cond_destroy(&all->ended);
	(void)pthread_mutex_destroy(&all->lock);
	free(all);
}
