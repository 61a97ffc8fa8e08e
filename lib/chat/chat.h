/*
 * What a conversation is made of: messages with their roles, files that the
 * user attached, and the passages of knowledge that fit a question.  Plain
 * data, shared by those who search, prompt, answer and write replies.
 */
#ifndef PARLANCE_CHAT_H
#define PARLANCE_CHAT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

enum chat_role { ROLE_SYSTEM, ROLE_USER, ROLE_ASSISTANT };

struct chat_message {
	enum chat_role role;
	struct span content;
};

/* A file the user attached to the question. */
struct chat_file {
	const char *type;      /* "image", "document", ... */
	const char *mime_type; /* NULL when unknown */
	const char *url;       /* remote_url, or NULL */
	const char *path;      /* a file in the state folder, or NULL */
};

/* A piece of knowledge that fits the question, best first. */
struct passage {
	const char *dataset_id, *dataset_name;
	const char *document_id, *document_name;
	const char *document_path; /* below its folder; NULL: not known */
	const char *document_url;  /* where visitors find it, or NULL */
	const char *segment_id;
	int64_t segment_position; /* from 1 */
	double score;             /* 0 to 1, descending */
	struct span heading;      /* empty when none */
	struct span content;
	bool is_row;              /* a table's header, LF, one of its rows */
	const char *language;     /* code of its document's, or NULL */
	int64_t hit_count, word_count; /* -1 when not known */
};

#endif
