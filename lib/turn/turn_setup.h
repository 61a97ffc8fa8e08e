/* What a turn is asked: bot, question, history, files. */
#ifndef PARLANCE_TURN_SETUP_H
#define PARLANCE_TURN_SETUP_H

#include "engine/engine.h"

struct store_pool;

/* A name and value of the caller's `inputs`, for {{name}} in the persona. */
struct turn_input {
	const char *name;
	struct span text;
};

struct turn_setup {
	const struct config *config;
	const struct bot_config *bot;
	struct store_pool *stores;    /* for knowledge made over the API */
	struct engine_worker *worker;
	struct arena *arena;          /* of the request */
	struct span question;
	const struct chat_message *history; /* oldest first */
	size_t n_history;
	/* The caller wrote the history: nothing of it is left out unless the
	 * bot's context_size is known.  Else the budget of
	 * contracts/chat-messages.md 5 holds. */
	bool history_is_callers;
	const struct turn_input *inputs;
	size_t n_inputs;
	const struct chat_file *files;
	size_t n_files;
	const char *language; /* NULL: the bot's own */
	int64_t max_words;    /* 0: no limit */
	const char *user;     /* opaque, or NULL */
};

#endif
