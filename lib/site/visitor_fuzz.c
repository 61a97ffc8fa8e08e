/* Nothing but what was signed is a visitor. */
#include <stdlib.h>
#include <string.h>

#include "site/visitor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t key[SECRET_KEY] = {7};
	struct visitor v;

	if (visitor_read(key, "demo", (struct span){(const char *)data, size},
		0, &v))
		abort();
	return 0;
}
