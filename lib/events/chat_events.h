/*
 * What POST /chat-messages writes: the blocking body, the events of a
 * stream, and the metadata that both end with (contracts/chat-messages.md
 * 3 and 4).  Whoever speaks the same events writes them with this: it stands
 * below the views.
 */
#ifndef PARLANCE_CHAT_EVENTS_H
#define PARLANCE_CHAT_EVENTS_H

#include "base/buf.h"
#include "base/uuid.h"
#include "engine/engine.h"
#include "usage/pricing.h"

/* Who is talking: the same in every event of a reply. */
struct chat_ids {
	char task_id[UUID_TEXT];
	char message_id[UUID_TEXT];
	char conversation_id[UUID_TEXT];
	int64_t created_at; /* of the message, in seconds */
};

/* An annotation that answered instead of a model. */
struct chat_annotation {
	const char *id;
	const char *account_id, *account_name; /* who wrote it */
};

struct chat_metadata {
	struct span resources; /* retriever_resources, JSON */
	const struct usage *usage;
	const struct chat_annotation *annotation; /* NULL: none */
};

/* "retriever_resources": every passage, best first. */
void chat_resources_json(struct buf *out, const struct passage *passages,
    size_t n);
void chat_metadata_json(struct buf *out, const struct chat_metadata *m);

/* The blocking body. */
void chat_body_json(struct buf *out, const struct chat_ids *ids,
    struct span answer, const struct chat_metadata *m);

/* Events, each with its framing; one is one write. */
void chat_event_message(struct buf *out, const struct chat_ids *ids,
    struct span text);
/* The whole answer, instead of all that its messages said. */
void chat_event_replace(struct buf *out, const struct chat_ids *ids,
    struct span answer);
void chat_event_end(struct buf *out, const struct chat_ids *ids,
    const struct chat_metadata *m);
void chat_event_error(struct buf *out, const struct chat_ids *ids,
    int status, const char *code, const char *message);
/* The error of our own failures, into a text of that size: it needs no memory
 * besides. */
#define CHAT_EVENT_BROKEN_MAX 400
void chat_event_broken(char *out, const struct chat_ids *ids);
#define CHAT_EVENT_PING "event: ping\n\n"

/* How a failure of the engine is told. */
struct chat_fault {
	int status;
	const char *code;
	const char *message;
};

/* In a stream, or as an HTTP error.  told: the engine's words, or NULL. */
struct chat_fault chat_fault_of(enum engine_fault fault, const char *told,
    bool in_stream);

/* The answer as it is stored: without blanks at both ends, {{name}} with
 * single braces.  In the arena; data is NULL when out of memory. */
struct span chat_stored_answer(struct arena *arena, struct span answer);

#endif
