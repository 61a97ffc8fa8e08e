/*
 * What is tested, and how a request gets there: over HTTP, by running a CGI
 * program, or by speaking FastCGI.  A target is opened once; every worker
 * has a connection of its own.
 */
#ifndef CHATCONF_TARGET_H
#define CHATCONF_TARGET_H

#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "match/wire.h"

struct target;
struct connection;

/* Each way has one such table, in target_*.c. */
struct target_kind {
	const char *prefix; /* "cgi:" */
	/* Takes the rest of the specification; NULL, or what is wrong. */
	const char *(*open)(struct arena *a, struct target *target);
	void (*close)(struct target *target);
	void *(*connect)(struct target *target);
	void (*disconnect)(void *connection);
	/* Fills in *reply, whatever happens; everything is in the arena. */
	void (*send)(struct arena *a, struct target *target,
	    void *connection, const struct wire_request *request,
	    struct reply *reply);
	/* How to do it again by hand, in a shell. */
	char *(*again)(struct arena *a, const struct target *target,
	    const struct wire_request *request);
};

struct target {
	const struct target_kind *kind;
	const char *spec; /* as the user wrote it */
	const char *rest; /* without the kind's prefix */
	int timeout_ms;   /* for one reply */
	bool noisy;       /* let a program's standard error through */
	/* The headers that chatconf.rc holds for curl, as name and value. */
	const struct header *usual;
	size_t usual_count;
	void *state; /* the kind's own */
};

extern const struct target_kind target_http, target_cgi, target_fcgi;

/* Opens what spec names; NULL with the reason in *why. */
struct target *target_open(struct arena *a, const char *spec,
    const char **why);
void target_close(struct target *target); /* NULL is fine */

struct connection {
	struct target *target;
	void *state;
};
void connection_open(struct connection *c, struct target *target);
void connection_close(struct connection *c);
void connection_send(struct arena *a, struct connection *c,
    const struct wire_request *request, struct reply *reply);

/* ---- for the kinds ------------------------------------------------------ */

#define REPLY_MAX ((size_t)64 << 20)

/* The body while it grows, with the times of its pieces. */
struct growing {
	struct arena *arena;
	struct buf text;
	struct piece *pieces;
	size_t piece_count;
	int64_t begun_us;
	const struct watcher *watcher;
};
void growing_init(struct growing *g, struct arena *a,
    const struct wire_request *request);
/* False when the reply becomes too big. */
bool growing_add(struct growing *g, const void *data, size_t len);
/* Moves text, pieces and time into the reply. */
void growing_end(struct growing *g, struct reply *reply);

/* The CGI variables of a request, as "NAME=value", NULL-terminated. */
char **cgi_variables(struct arena *a, const struct wire_request *request,
    const char *program, size_t *count);

/* Attributes for a program to be started with: no signal is blocked, SIGPIPE
 * is as usual; flags are POSIX_SPAWN_ ones besides. */
void spawn_attributes(posix_spawnattr_t *attr, short flags);

/* text in single quotes where a shell needs them. */
char *shell_quote(struct arena *a, struct span text);
/* The same for bytes: $(printf ...) style where they are no plain text. */
char *shell_print(struct arena *a, struct span bytes);

#endif
