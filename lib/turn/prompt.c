/* The prompt: system, history, question. */
#include "turn/prompt.h"

#include <string.h>

#include "config/config.h"

enum err
prompt_build(const struct turn_setup *setup, struct engine_request *request,
    struct arena *arena)
{
	struct chat_message *prompt = arena_array(arena,
	    setup->n_history + 2, sizeof(*prompt));
	size_t n = 0;

	if (prompt == NULL)
		return ERR_MEMORY;
	if (setup->bot->persona[0] != '\0')
		prompt[n++] = (struct chat_message){ROLE_SYSTEM,
		    span_of(setup->bot->persona)};
	if (setup->n_history > 0)
		memcpy(prompt + n, setup->history,
		    setup->n_history * sizeof(*prompt));
	n += setup->n_history;
	prompt[n++] = (struct chat_message){ROLE_USER, setup->question};
	request->prompt = prompt;
	request->n_prompt = n;
	return ERR_NONE;
}
