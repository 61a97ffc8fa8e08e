#include "turn/engine_kinds.h"

#include "builtin/builtin.h"
#include "config/engine_kind.h"
#include "engine/openai.h"
#include "engine/replay.h"

enum err
engine_kinds_start(const struct engine_config *engine,
    const struct engine_request *request, struct engine_worker *worker,
    struct arena *arena, struct engine_run **run)
{
	static const engine_start_fn starts[] = {
#define X(name, text, remote, start) start,
	    ENGINE_KINDS(X)
#undef X
	};
	enum engine_kind kind = engine_kind(engine);

	*run = NULL;
	return kind == ENGINE_KINDS_COUNT
	    ? ERR_CONFIG
	    : starts[kind](engine, request, worker, arena, run);
}
