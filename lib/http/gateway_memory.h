/*
 * A gateway without a web server: a request given in memory, the answer kept
 * in a buffer.  Unit tests and fuzz targets are served by it.
 */
#ifndef PARLANCE_GATEWAY_MEMORY_H
#define PARLANCE_GATEWAY_MEMORY_H

#include "base/buf.h"
#include "base/text.h"
#include "http/gateway.h"

struct gateway_memory {
	struct gateway gateway;
	/* "NAME=value" texts, NULL at the end; they are not copied. */
	const char *const *params;
	struct span body;
	size_t body_at;       /* read so far */
	size_t read_max;     /* bytes a read gives at the most; 0: all */
	enum err read_end;    /* after the body: ERR_NONE is its end */
	size_t write_max;    /* after so many bytes the client is gone */
	bool gone;
	struct buf output;    /* everything that was written */
	size_t writes;        /* how many writes that took */
};

/* Ready to serve; body may be SPAN_NONE. */
void gateway_memory_init(struct gateway_memory *m, const char *const *params,
    struct span body);
void gateway_memory_release(struct gateway_memory *m);

/* Parts of the output: the number after "Status: " (0 when there is none),
 * a header's value (SPAN_NONE when absent), and what follows the head. */
int gateway_memory_status(const struct gateway_memory *m);
struct span gateway_memory_header(const struct gateway_memory *m,
    const char *name);
struct span gateway_memory_body(const struct gateway_memory *m);

#endif
