/*
 * Cutting a document into segments: what is found, cited and shown.
 *
 * Readers hand over blocks (headings, paragraphs, rows of a table) in the
 * document's order.  Paragraphs under one heading are joined to about
 * SEGMENT_GOAL bytes; a new heading always begins a new segment; a long
 * paragraph is cut between sentences.  A row of a table is a segment of its
 * own: the header's line as it stands in the document, LF, the row.
 */
#ifndef PARLANCE_SEGMENTS_H
#define PARLANCE_SEGMENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/text.h"

#define SEGMENT_GOAL 700        /* bytes */
#define SEGMENT_MAX 2000        /* bytes of joined text */
#define SEGMENT_ROW_MAX 16384   /* bytes of a row with its header */
#define SEGMENT_LEVELS 6
#define SEGMENT_HEADING_MAX 300 /* bytes of one heading */

struct segment {
	struct span heading; /* "Title > Section", or empty */
	struct span content;
	bool is_row;
};

typedef enum err (*segment_fn)(void *arg, const struct segment *segment);

struct segmenter {
	segment_fn emit;
	void *arg;
	struct buf headings[SEGMENT_LEVELS];
	struct buf content, path;
	int64_t segments, dropped; /* rows above SEGMENT_ROW_MAX */
	enum err err;              /* the first failure; sticks */
};

void segmenter_init(struct segmenter *s, segment_fn emit, void *arg);
/* level 1 to 6; deeper headings are forgotten. */
void segmenter_heading(struct segmenter *s, int level, struct span text);
/* A paragraph or list item; blanks around it do not matter. */
void segmenter_text(struct segmenter *s, struct span text);
void segmenter_row(struct segmenter *s, struct span header, struct span row);
/* Emits what is left, frees what it holds. */
enum err segmenter_end(struct segmenter *s)
    __attribute__((warn_unused_result));

/* Where the first sentence of text ends: behind its mark (. ! ? and those of
 * other scripts) and before the blanks that follow; text.len when there is
 * no other sentence.  Abbreviations, ordinals and decimals do not end one. */
size_t sentence_end(struct span text);

#endif
