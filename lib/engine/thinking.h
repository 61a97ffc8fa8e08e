/*
 * A model that thinks aloud: its thoughts come in a field of their own
 * (reasoning_content and the like), or in the text before the answer,
 * between tags such as <think> and </think>, sometimes without the first of
 * them.  What becomes of them is the engine's setting `reasoning`.
 *
 * A tag counts only in front of the answer: one inside it is the answer's.
 * Tags may be cut anywhere between two pieces.
 */
#ifndef PARLANCE_THINKING_H
#define PARLANCE_THINKING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/text.h"

enum thinking_manner {
	THINKING_HIDE, /* nothing of it is handed on */
	THINKING_TAGS, /* all of it, a field's between <think> and </think> */
	THINKING_PASS  /* what is in the text; a field's is left out */
};

/* Starts zeroed, with a manner; its other members are not for others, but
 * for those that say so. */
struct thinking {
	enum thinking_manner manner;
	/* The text begins inside the thoughts, without a tag; may be set
	 * before the first piece. */
	bool first;
	enum thinking_state {
		THINKING_BEGIN,   /* nothing but blanks so far */
		THINKING_THOUGHT, /* behind an opening tag */
		THINKING_AFTER,   /* behind a closing one, only blanks */
		THINKING_ANSWER
	} state;
	const struct thinking_tag *tag; /* THINKING_THOUGHT: which */
	struct buf held;    /* what cannot be judged yet */
	size_t searched;    /* bytes of it without a closing tag */
	bool field_open;    /* THINKING_TAGS: <think> was handed on */
	bool thought;       /* to read: there were thoughts */
	bool said;          /* to read: there was an answer */
	int64_t tokens;     /* to read: of thoughts not handed on */
	/* To read and to clear: a closing tag came for which there was no
	 * opening one: all that was handed on until then was thought. */
	bool retract;
};

/* held_max: bytes that may wait to be judged. */
void thinking_init(struct thinking *t, enum thinking_manner manner,
    bool first, size_t held_max);
void thinking_release(struct thinking *t);

/* The manner that a word of the configuration means; NULL: hide. */
enum thinking_manner thinking_manner_of(const char *word);

/* A piece of a field of thoughts; what is to be handed on goes to out. */
void thinking_thought(struct thinking *t, struct span piece,
    struct buf *out);
/* A piece of the text, UTF-8, cut between characters. */
void thinking_text(struct thinking *t, struct span piece, struct buf *out);
/* Nothing will follow.  cut_short: the model was not allowed to say more, so
 * text that began as thoughts is no answer. */
void thinking_end(struct thinking *t, bool cut_short, struct buf *out);

/* An answer of an earlier turn without the thoughts in front of it. */
struct span thinking_strip(struct span answer);

#endif
