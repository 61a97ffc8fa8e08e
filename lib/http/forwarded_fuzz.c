/*
 * Any X-Forwarded-For and any Forwarded, from a trusted proxy: the first line
 * and the second.  Nothing crashes; whoever is named has an address, and
 * another one than the proxy's only when a header names it.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "http/forwarded.h"
#include "http/gateway_memory.h"

#define PROXY "10.0.0.1"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *
param(struct arena *a, const char *name, struct span value)
{
	return arena_printf(a, "%s=%.*s", name, (int)value.len,
	    value.len == 0 ? "" : value.data);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span rest = {(const char *)data, size};
	struct span first = span_cut(&rest, '\n');
	struct net_range range;
	struct net_ranges trusted = {&range, 1};
	struct gateway_memory memory;
	struct net_address client;
	const char *params[] = {"REQUEST_METHOD=GET", "REQUEST_URI=/",
	    "REMOTE_ADDR=" PROXY, NULL, NULL, NULL};
	struct request r;
	struct arena arena;

	arena_init(&arena, 1U << 20);
	params[3] = param(&arena, "HTTP_X_FORWARDED_FOR", first);
	params[4] = param(&arena, "HTTP_FORWARDED", rest);
	gateway_memory_init(&memory, params, SPAN_NONE);
	if (!net_range_parse(SPAN("10.0.0.0/8"), &range))
		abort();
	if (request_init(&r, &arena, &memory.gateway, "") == ERR_NONE &&
	    forwarded_apply(&r, &trusted) == ERR_NONE) {
		if (!net_address_parse(span_of(r.client_addr), &client) ||
		    client.kind == NET_UNIX || request_is_local(&r))
			abort();
		if (size < 2 && strcmp(r.client_addr, PROXY) != 0)
			abort();
	}
	gateway_memory_release(&memory);
	arena_release(&arena);
	return 0;
}
