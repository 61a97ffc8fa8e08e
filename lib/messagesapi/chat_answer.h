/*
 * The answer to POST /chat-messages: a view of a turn (turn/turn_run.h), or of
 * an annotation's text.
 */
#ifndef PARLANCE_CHAT_ANSWER_H
#define PARLANCE_CHAT_ANSWER_H

#include "events/chat_events.h"
#include "messagesapi/chat_files.h"
#include "messagesapi/chat_request.h"
#include "messagesapi/form_inputs.h"
#include "store/annotations.h"
#include "store/conversations.h"
#include "store/end_users.h"
#include "store/messages.h"
#include "turn/turn_run.h"

/* All of it lives in the request's arena. */
struct chat_answer {
	struct turn_run run; /* first */
	struct chat_request request;
	struct chat_files files;
	struct form_inputs inputs;
	struct end_user_row end_user; /* seq 0: not seen before */
	struct conversation_row conversation;
	bool new_conversation;
	struct span title; /* for a new one; data NULL: none wanted */
	struct annotation_row annotation; /* that answers; seq 0: none */
	struct chat_annotation annotation_reported;
	struct chat_ids ids; /* made before it begins */
	struct message_row message;
};

extern const struct turn_view chat_answer_view;

#endif
