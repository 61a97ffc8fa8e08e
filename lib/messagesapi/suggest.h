/*
 * Questions to go on with after an answer.  They come from what the bot has:
 * its declared questions that were not asked yet, and the headings of the
 * knowledge that fits the last questions.  No model is asked, so none can
 * fail or delay it.
 */
#ifndef PARLANCE_SUGGEST_H
#define PARLANCE_SUGGEST_H

#include "config/config.h"
#include "store/messages.h"

#define SUGGEST_MAX 3
/* What is looked at of a conversation. */
#define SUGGEST_MESSAGES 3
#define SUGGEST_BYTES (12U * 1024U)

struct suggestions {
	struct span items[SUGGEST_MAX];
	size_t n;
};

/* pairs: the last messages of the conversation, oldest first. */
void suggest(const struct config *config, const struct bot_config *bot,
    struct arena *arena, const struct message_pair *pairs, size_t n,
    struct suggestions *out);

#endif
