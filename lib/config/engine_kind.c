#include "config/engine_kind.h"

#include <string.h>

#include "config/config.h"

static const struct {
	const char *text;
	bool remote;
} kinds[] = {
#define X(name, text, remote, start) {text, remote},
    ENGINE_KINDS(X)
#undef X
};

enum engine_kind
engine_kind(const struct engine_config *engine)
{
	int i;

	for (i = 0; i < ENGINE_KINDS_COUNT; i++)
		if (strcmp(kinds[i].text, engine->kind) == 0)
			break;
	return (enum engine_kind)i;
}

bool
engine_is_remote(const struct engine_config *engine)
{
	enum engine_kind kind = engine_kind(engine);

	return kind != ENGINE_KINDS_COUNT && kinds[kind].remote;
}
