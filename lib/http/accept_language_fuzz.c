/* Any header gives one of the languages. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "http/accept_language.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const codes[] = {"en", "de", "zh"};
	char *header = malloc(size + 1);

	if (header == NULL)
		return 0;
	if (size > 0)
		memcpy(header, data, size);
	header[size] = '\0';
	if (accept_language(header, codes, 3, 1) >= 3)
		abort();
	free(header);
	return 0;
}
