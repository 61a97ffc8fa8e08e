/*
 * Readers: a document's text, UTF-8, to blocks.  None of them fails on bad
 * input; what they cannot understand is text.  Safe from any thread.
 */
#ifndef PARLANCE_READ_TEXT_H
#define PARLANCE_READ_TEXT_H

#include "documents/segments.h"

/* Paragraphs between empty lines; a line that is a question by itself, or
 * begins with "Q:" (and the like in other languages), is a heading. */
void read_plain(struct span text, struct segmenter *s);
/* The common Markdown: headings, lists, tables, code, emphasis, links. */
void read_markdown(struct span text, struct segmenter *s);
/* A table: the first record is its header.  separator 0: it is guessed. */
void read_table(struct span text, char separator, struct segmenter *s);
/* HTML: headings, paragraphs, lists, tables; navigation, scripts, asides and
 * controls are left out. */
void read_html(struct span text, struct segmenter *s);

#endif
