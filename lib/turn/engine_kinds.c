/* The one table of the kinds of engines. */
#include "turn/engine_kinds.h"

#include <string.h>

#include "builtin/builtin.h"
#include "config/config.h"
#include "engine/openai.h"
#include "engine/replay.h"

static const struct {
	const char *kind;
	engine_start_fn start;
} kinds[] = {
    {"builtin", builtin_start},
    {"replay", replay_start},
    {"openai", openai_start},
};

enum err
engine_kinds_start(const struct engine_config *engine,
    const struct engine_request *request, struct engine_worker *worker,
    struct arena *arena, struct engine_run **run)
{
	size_t i;

	*run = NULL;
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kinds[i].kind, engine->kind) == 0)
			return kinds[i].start(
			    engine, request, worker, arena, run);
	return ERR_CONFIG;
}
