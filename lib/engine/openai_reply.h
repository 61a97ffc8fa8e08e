/* What a chat/completions server says: chunks of a stream, one whole
 * completion, or a refusal. */
#ifndef PARLANCE_OPENAI_REPLY_H
#define PARLANCE_OPENAI_REPLY_H

#include "base/buf.h"
#include "engine/engine.h"
#include "engine/text_join.h"

#define REPLY_MESSAGE 512

struct openai_reply {
	struct text_join join;
	bool done;     /* [DONE] came */
	bool finished; /* a finish reason came */
	bool has_usage;
	int64_t prompt_tokens, completion_tokens;
	enum engine_fault fault; /* FAULT_NONE: none so far */
	char message[REPLY_MESSAGE]; /* the fault's, for the client */
	bool blames_usage; /* a refusal that names stream_options */
	bool blames_max;   /* ... that wants max_completion_tokens */
};

/* One event of the stream; what it adds to the answer is appended to text.
 * key: never repeated in a message; may be NULL. */
void openai_reply_event(struct openai_reply *r, struct span type,
    struct span data, const char *key, struct buf *text);
/* The body of a reply that is one JSON completion. */
void openai_reply_whole(struct openai_reply *r, struct span body,
    const char *key, struct buf *text);
/* The body of a reply with another status than 200. */
void openai_reply_refusal(struct openai_reply *r, int status,
    struct span body, const char *key);

#endif
