/*
 * Any CGI variables and any body: "NAME=value" lines up to an empty one, then
 * the body.  Nothing crashes, and what is promised of a request holds.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "http/gateway_memory.h"
#include "http/request.h"

#define PARAMS_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
look(struct request *r)
{
	struct span value;

	if (r->path.len == 0 || r->path.data[0] != '/' ||
	    r->path.data[r->path.len] != '\0' || r->method[0] == '\0' ||
	    strlen(r->id) != 32)
		abort();
	(void)request_query(r, "user", &value);
	(void)request_header(r, "X-Api-Key");
	if (request_read_body(r, 4096) == BODY_READ && r->body.len > 4096)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span rest = {(const char *)data, size}, line;
	const char *params[PARAMS_MAX + 1] = {NULL};
	struct gateway_memory memory;
	struct request request;
	struct arena arena;
	size_t n = 0;

	arena_init(&arena, 1U << 20);
	while (rest.len > 0 && n < PARAMS_MAX) {
		line = span_cut(&rest, '\n');
		if (line.len == 0)
			break;
		params[n] = arena_strndup(&arena, line.data, line.len);
		if (params[n] == NULL)
			break;
		n++;
	}
	params[n] = NULL;
	gateway_memory_init(&memory, params, rest);
	memory.gateway.cgi = size % 2 == 0;
	memory.read_max = size % 7;
	if (request_init(&request, &arena, &memory.gateway,
		size % 3 == 0 ? "/app" : "") == ERR_NONE)
		look(&request);
	gateway_memory_release(&memory);
	arena_release(&arena);
	return 0;
}
