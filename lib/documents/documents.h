/* Files as documents: which kinds are known, and how each becomes text. */
#ifndef PARLANCE_DOCUMENTS_H
#define PARLANCE_DOCUMENTS_H

#include "base/buf.h"
#include "documents/segments.h"

/* Does a file of this name hold text we can read? */
bool document_is_known(const char *name);

/* The name without folders and ending: "iPhone List". */
struct span document_title(const char *path);

/*
 * Makes UTF-8 text of a file's bytes; its name tells the kind.  path is the
 * file itself, for converters (PDF, DOCX); NULL when there is only text.
 *
 * ERR_NONE    *remark is NULL, or says something worth reporting ("taken
 *             for Latin-1").
 * ERR_INPUT   the document cannot be read; *remark says why, in words.
 * ERR_MEMORY, ERR_TOO_BIG
 */
enum err document_text(const char *name, const char *path, struct span bytes,
    struct buf *text, const char **remark)
    __attribute__((warn_unused_result));

/* Hands the text to the segmenter, as the name's kind asks; s->err tells
 * when its sink failed. */
void document_blocks(const char *name, struct span text, struct segmenter *s);

/* Words from the text, without marks like <p>, to guess a language from. */
void document_sample(const char *name, struct span text, struct buf *sample);

#endif
