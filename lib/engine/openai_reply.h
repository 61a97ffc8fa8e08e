/*
 * What a chat/completions server says: chunks of a stream, one whole
 * completion, or a refusal.  When an answer is over is decided here and in
 * openai_end.h, by the rule in README.md.
 */
#ifndef PARLANCE_OPENAI_REPLY_H
#define PARLANCE_OPENAI_REPLY_H

#include "base/buf.h"
#include "engine/engine.h"
#include "upstream/openai_end.h"
#include "upstream/openai_words.h"
#include "engine/text_join.h"
#include "engine/thinking.h"

enum reply_state {
	REPLY_OPEN,     /* more must follow */
	REPLY_FINISHED, /* a finish reason came; text would take it back */
	REPLY_DONE      /* the end mark came, or openai_reply_close() */
};

struct openai_reply {
	struct text_join join;
	struct thinking thinking;
	enum reply_state state;
	enum openai_end end; /* what the last finish reason said */
	/* It spoke on after a finish reason: its next ones are no end, only
	 * the end mark and the end of a whole frame are. */
	bool doubted;
	bool chunks;         /* something of an answer came, even empty */
	bool has_usage;
	int64_t prompt_tokens, completion_tokens;
	enum engine_fault fault; /* FAULT_NONE: none so far */
	char message[WORDS_CLIENT_MAX]; /* the fault's, for the client */
	char words[WORDS_LOG_MAX]; /* the server's own, for the log, or "" */
	bool blames_usage; /* a refusal that names stream_options */
	bool blames_max;   /* ... that wants max_completion_tokens */
	/* Not its own; may be NULL and empty: never repeated in words. */
	const char *key;
	struct span question;
	struct buf piece; /* of the answer, before its thoughts are gone */
};

/* max: bytes that may wait until it is known what they are. */
void openai_reply_init(struct openai_reply *r, enum thinking_manner manner,
    bool thinks_first, size_t max);
void openai_reply_release(struct openai_reply *r);

/* One event of the stream; what it adds to the answer is appended to text. */
void openai_reply_event(struct openai_reply *r, struct span type,
    struct span data, struct buf *text);
/* The body of a reply that is one JSON completion.  False when it is no
 * JSON: nothing has changed then. */
bool openai_reply_whole(struct openai_reply *r, struct span body,
    struct buf *text);
/* The body of a reply whose status is not 2xx. */
void openai_reply_refusal(struct openai_reply *r, int status,
    struct span body);
/* The answer is over: what was held back comes now. */
void openai_reply_close(struct openai_reply *r, struct buf *text);

/* Does a body that begins with this line go on line by line: is it a chunk? */
bool openai_reply_is_chunk(struct span line);

#endif
