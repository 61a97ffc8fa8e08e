/*
 * The answer to POST /chat-messages from its first event to its last: one
 * state machine for both modes, over the events of a turn or over an
 * annotation's text.
 */
#ifndef PARLANCE_CHAT_ANSWER_H
#define PARLANCE_CHAT_ANSWER_H

#include "http/exchange.h"
#include "limits/limits.h"
#include "events/chat_events.h"
#include "messagesapi/title.h"
#include "store/messages.h"
#include "turn/turn.h"

/* What the handler has prepared; all of it lives in the request's arena. */
struct chat_start {
	struct chat_ids ids;
	struct message_row *message; /* its running row */
	struct limits_reservation
	    reservation; /* settled with the row's completion */
	bool streaming;
	struct span title; /* for a new conversation; data NULL: none wanted */
	struct turn_setup setup;
	/* Prepared, not begun; the answer's from now on.  title_job: NULL
	 * when no model is asked for a name. */
	struct turn *turn;
	struct title_job *title_job;
	/* An annotation that answers; NULL: a turn does. */
	const struct chat_annotation *annotation;
	int64_t annotation_seq;
	struct span annotation_answer;
};

/*
 * Leaves the answer in x->answer.  On failure the message's row has been
 * completed as an error, as far as the store allows.  Turn and title go
 * with the answer, or at once.
 */
enum err chat_answer_begin(struct exchange *x, const struct chat_start *start)
    __attribute__((warn_unused_result));

#endif
