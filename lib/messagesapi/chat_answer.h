/*
 * The answer to POST /chat-messages: a view of a dialogue
 * (dialogue/dialogue.h).
 */
#ifndef PARLANCE_CHAT_ANSWER_H
#define PARLANCE_CHAT_ANSWER_H

#include "dialogue/dialogue.h"
#include "messagesapi/chat_files.h"
#include "messagesapi/chat_request.h"
#include "messagesapi/form_inputs.h"

/* All of it lives in the request's arena. */
struct chat_answer {
	struct dialogue dialogue; /* first */
	struct chat_request request;
	struct chat_files files;
	struct form_inputs inputs;
};

extern const struct turn_view chat_answer_view;

#endif
