/* One request and its reply, whatever carries them. */
#ifndef CHATCONF_WIRE_H
#define CHATCONF_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/text.h"

struct header {
	struct span name, value; /* NUL-terminated */
};

/* Is told while a reply is coming: all of its bytes so far (of a CGI program
 * with the header block) and the microseconds since the request. */
struct watcher {
	void (*seen)(void *ctx, struct span text, int64_t us);
	void *ctx;
};

struct wire_request {
	const char *method, *path; /* the path with its query, as sent */
	const struct header *headers;
	size_t header_count;
	struct span body; /* NULL data: no body */
	const struct watcher *watcher; /* or NULL */
};

/* When the body had grown to `end` bytes, in microseconds from the moment
 * the request was begun. */
struct piece {
	size_t end;
	int64_t us;
};

struct reply {
	const char *failure; /* no reply, or a broken one: why */
	bool unreachable;    /* not even a connection, or no such program */
	int status;
	struct header *headers;
	size_t header_count;
	const char *header_fault; /* the header block is not well formed */
	struct span body;
	struct piece *pieces;
	size_t piece_count;
	int64_t us; /* the whole exchange */
};

/* A header's value, several joined with ", "; NULL data when absent. */
struct span reply_header(struct arena *a, const struct reply *reply,
    const char *name);

/* A request's header, or NULL data. */
struct span wire_request_header(const struct wire_request *request,
    const char *name);

/*
 * Takes a reply apart as it comes from a CGI program: a header block with
 * Status, a blank line, the body.  text is the whole output; offsets of the
 * pieces are moved to the body.
 */
void reply_from_cgi(struct arena *a, struct span text, struct reply *reply);

/* Adds a header line without its line end; notes a fault in the reply. */
void reply_add_header(struct arena *a, struct reply *reply,
    struct span line);

#endif
