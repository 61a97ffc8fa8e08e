/* What is written of a reply. */
#include "messagesapi/chat_answer.h"

#include <stdio.h>

#include "messagesapi/reply.h"

static const struct dialogue *
self(const struct turn_run *r)
{
	return (const struct dialogue *)(const void *)r;
}

static enum err
refuse_start(struct turn_run *r, enum err why)
{
	if (why == ERR_NOT_FOUND)
		return reply_error(r->x, REPLY_CONVERSATION);
	/* A file that was removed since it was looked up (store/clean.h). */
	if (why == ERR_CONFLICT && self(r)->n_files > 0)
		return reply_invalid(r->x, NULL, "Invalid upload file");
	return why;
}

static enum err
refuse(struct turn_run *r, const struct limits_verdict *v)
{
	return reply_too_many(r->x, limits_text(v->refusal),
	    v->retry_after_s);
}

static void
write_end(struct turn_run *r, struct buf *out)
{
	const struct dialogue *d = self(r);
	struct chat_metadata metadata = {
	    .resources = d->message.resources,
	    .usage = &r->result.usage,
	    .annotation = d->annotation_reported.id != NULL
		? &d->annotation_reported
		: NULL,
	};

	if (r->stream && r->result.retracted)
		chat_event_replace(out, &d->ids, r->result.answer);
	if (r->stream)
		chat_event_end(out, &d->ids, &metadata);
	else
		chat_body_json(out, &d->ids, r->result.answer, &metadata);
}

static void
write_fault(struct turn_run *r, struct buf *out)
{
	struct chat_fault fault = dialogue_fault(r);

	chat_event_error(out, &self(r)->ids, fault.status, fault.code,
	    fault.message);
}

static enum err
refuse_fault(struct turn_run *r)
{
	struct chat_fault fault = chat_fault_of(r->fault.fault,
	    r->fault.message, false);
	char seconds[16];

	if (r->fault.err != ERR_NONE)
		reply_headers(r->x);
	if (fault.status == 429) {
		(void)snprintf(seconds, sizeof(seconds), "%d",
		    r->fault.retry_after_s > 0 ? r->fault.retry_after_s : 1);
		(void)response_header(&r->x->response, "Retry-After",
		    span_of(seconds));
	}
	return reply_envelope(r->x, fault.status, fault.code,
	    span_of(fault.message), NULL);
}

const struct turn_view chat_answer_view = {
    .name = "chat-messages",
    DIALOGUE_VIEW,
    .refuse_start = refuse_start,
    .refuse = refuse,
    .end = write_end,
    .fail = write_fault,
    .refuse_fault = refuse_fault,
};
