/*
 * Worker threads, each serving one request at a time.
 *
 * Some workers wait for connections, each for one; when the last of them has
 * got one, it calls an idle worker to wait in its place, or makes one.  Idle
 * workers are taken from a stack, so the few that a quiet site needs stay
 * warm and the memory of the others is never touched; those that nobody has
 * needed for long end.  When no worker is left nobody accepts, and
 * connections wait in the socket's queue, where another process may take
 * them.
 */
#ifndef PARLANCE_WORKERS_H
#define PARLANCE_WORKERS_H

#include <stddef.h>

#include "app/app.h"

struct workers;

/* Takes app over.  max: threads at the most.  NULL: out of memory, or no
 * thread could be made.  All signals must be blocked. */
struct workers *workers_new(struct app *app, int listen_fd, size_t max);

/* New requests get this app; the old one is freed when its last request has
 * ended. */
enum err workers_replace(struct workers *w, struct app *app);

/* Breaks off peers that have not sent the head of their request in time. */
void workers_tick(struct workers *w);

/* No more connections: at once, or (drain) when for a moment no further one
 * comes. Requests being served go on. */
void workers_stop(struct workers *w, bool drain);
/* Waits until all workers have ended, for this long at the most; tells how
 * many have not. */
size_t workers_wait(struct workers *w, int ms);
/* Tells every answer that its client is gone; how many there were. */
size_t workers_cut(struct workers *w);
/* Only when workers_wait() said 0. */
void workers_free(struct workers *w);

#endif
