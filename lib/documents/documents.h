/* Files as documents: which kinds are known, and how each becomes text. */
#ifndef PARLANCE_DOCUMENTS_H
#define PARLANCE_DOCUMENTS_H

#include "base/buf.h"
#include "documents/segments.h"

#define DOCUMENT_REMARK_MAX 160

/* Does a file of this name hold text we can read? */
bool document_is_known(const char *name);
/* Does it hold text that we cannot read (.doc, .rtf, .xlsx)? */
bool document_is_unread(const char *name);

/* The name without folders and ending: "iPhone List". */
struct span document_title(const char *path);

struct document_source {
	const char *name;     /* tells the kind */
	const char *path;     /* the file itself, for PDF; NULL: none */
	struct span bytes;
	const char *encoding; /* the owner's word for what tells nothing of
	                       * its encoding; NULL: it is guessed */
};

struct document_note {
	char remark[DOCUMENT_REMARK_MAX]; /* what is worth reporting, in words
	                                   * ("is no UTF-8 ..."), or "" */
	bool missing_program; /* once it is installed, try again */
};

/*
 * Makes UTF-8 text of a file's bytes: what document_blocks() reads.
 *
 * ERR_NONE    note->remark is "" or says something worth reporting.
 * ERR_INPUT   the document cannot be read; note->remark says why.
 * ERR_MEMORY, ERR_TOO_BIG
 */
enum err document_text(const struct document_source *source, struct buf *text,
    struct document_note *note) __attribute__((warn_unused_result));

/* Are the programs there that documents of this name need?  Looks for them
 * anew each time. */
bool document_can_convert(const char *name);

/* Hands the text to the segmenter, as the name's kind asks; s->err tells
 * when its sink failed, s->remark and s->omitted what was not taken. */
void document_blocks(const char *name, struct span text, struct segmenter *s);

/* Words from the text, without marks like <p>, to guess a language from. */
void document_sample(const char *name, struct span text, struct buf *sample);

#endif
