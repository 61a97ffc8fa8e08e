/* The bodies of the bot API, as tables (contracts/chat.md 6). */
#ifndef PARLANCE_BOTAPI_REQUESTS_H
#define PARLANCE_BOTAPI_REQUESTS_H

#include "engine/engine.h"
#include "validate/v1_kinds.h"

/* An item of `messages`. */
struct chat_turn {
	int role; /* enum chat_role */
	struct span content;
};

/* Texts that were not given have data NULL. */
struct chat_request {
	struct span bot_uid, bot_slug, prompt;
	struct field_list messages; /* of struct chat_turn */
	bool stream;
	struct span user_id, language;
	bool assumptions;
	struct field_integer max_words;
	bool use_search;
};

struct statistics_request {
	struct field_integer user_id;
	struct field_date start_date, end_date;
};

extern const struct model chat_request_model;
extern const struct model statistics_request_model;

#endif
