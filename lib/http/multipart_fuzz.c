/* Any body of any boundary: no crash, and every part lies in the body. */
#include <stdint.h>
#include <stdlib.h>

#include "http/multipart.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span body = {(const char *)data, size};
	struct span type = span_cut(&body, '\n');
	struct multipart form;
	struct arena arena;
	const char *content_type;
	size_t i;

	arena_init(&arena, 1U << 20);
	content_type = arena_strndup(&arena, type.data, type.len);
	if (content_type != NULL && body.data != NULL &&
	    multipart_parse(content_type, body, &arena, &form) == ERR_NONE)
		for (i = 0; i < form.n; i++)
			if (form.parts[i].data.data < body.data ||
			    form.parts[i].data.data + form.parts[i].data.len >
			    body.data + body.len)
				abort();
	arena_release(&arena);
	return 0;
}
