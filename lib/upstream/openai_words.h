/*
 * What a server says when something fails: found wherever it stands, told to
 * the client only when it can hold no secret, and to the log in one line.
 */
#ifndef PARLANCE_OPENAI_WORDS_H
#define PARLANCE_OPENAI_WORDS_H

#include <stdbool.h>

#include "base/text.h"

struct pyjson;

#define WORDS_CLIENT_MAX 512
#define WORDS_LOG_MAX 400

/* Spans into the decoded text; those that were not told are empty. */
struct openai_words {
	struct span message, code, type, param;
};

/* Does an object without an answer in it, or a member of one that is called
 * error, speak of a failure?  kind: of its event, or empty. */
bool openai_words_failed(const struct pyjson *object, struct span kind);
/* Does the value of a member called error say anything?  "", {}, null, false
 * and a code of 0 do not. */
bool openai_words_given(const struct pyjson *error);

/* Collects them from an object, a list of one, or a text. */
void openai_words_find(const struct pyjson *failure,
    struct openai_words *words);

/* The message for a client; empty when it could tell too much. */
void openai_words_quote(struct span message, const char *key,
    char out[WORDS_CLIENT_MAX]);

/* Does s contain the word, in lower case, in any case of letters? */
bool openai_words_has(struct span s, const char *word);

/*
 * One line for the log, from a message, a page or plain text: without tags
 * of HTML, control characters and whatever looks like a key; key and
 * question, when they are in it, are left out.  Both may be empty.
 */
void openai_words_log(struct span text, const char *key, struct span question,
    char out[WORDS_LOG_MAX]);

#endif
