/*
 * Cutting a document into segments: what is found, cited and shown.
 *
 * Readers hand over blocks (headings, paragraphs, rows of a table) in the
 * document's order.  Paragraphs under one heading are joined to about
 * SEGMENT_GOAL bytes; a new heading always begins a new segment; a long
 * paragraph is cut between sentences.  A row of a table is a segment of its
 * own: the header's line as it stands in the document, LF, the row.
 *
 * Nothing is lost in silence: what a reader does not hand over it reports by
 * segmenter_omit(), so that the share of a document's text that was taken is
 * known (segmenter_share()).
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

/* Why text is not taken. */
enum omission {
	OMIT_NAVIGATION, /* <nav> */
	OMIT_ASIDE,      /* <aside>, <footer> beside the page's subject */
	OMIT_CONTROL,    /* buttons, choices and fields of forms */
	OMIT_SCRIPT_ONLY, /* "please switch JavaScript on" */
	OMIT_NUMBERS,    /* line numbers beside a listing */
	OMIT_SETTINGS,   /* front matter */
	OMIT_HIDDEN,     /* text that the document hides */
	OMIT_DELETED,    /* deleted, or moved elsewhere */
	OMIT_COUNT
};

struct segmenter {
	segment_fn emit;
	void *arg;
	struct buf headings[SEGMENT_LEVELS];
	bool told[SEGMENT_LEVELS]; /* a segment stands below this heading */
	struct buf content, path;
	int64_t segments;
	int64_t long_rows; /* above SEGMENT_ROW_MAX: cut like paragraphs */
	int64_t taken;     /* bytes of text, without blanks */
	int64_t omitted[OMIT_COUNT];
	int64_t repeated;  /* bytes of headers in rows behind the first */
	const char *remark; /* of the reader, in words, or NULL */
	enum err err;      /* the first failure; sticks */
};

void segmenter_init(struct segmenter *s, segment_fn emit, void *arg);
/* level 1 to 6; deeper headings are forgotten.  A heading with nothing below
 * it becomes a segment itself. */
void segmenter_heading(struct segmenter *s, int level, struct span text);
/* The document's name for itself: a heading of level 1 that is no text. */
void segmenter_title(struct segmenter *s, struct span text);
/* A paragraph or list item; blanks around it do not matter. */
void segmenter_text(struct segmenter *s, struct span text);
/* A row too long for a segment is cut like a paragraph, without the header. */
void segmenter_row(struct segmenter *s, struct span header, struct span row);
/* bytes of text, without blanks, that are not taken. */
void segmenter_omit(struct segmenter *s, enum omission why, int64_t bytes);
int64_t segmenter_count(struct span text); /* its bytes without blanks */
/* How much of the text was taken, in percent, 100 when there is none; *why
 * what most of the rest was. */
int segmenter_share(const struct segmenter *s, enum omission *why);
/* In words, such as "navigation". */
const char *omission_text(enum omission why);
/* Emits what is left, frees what it holds. */
enum err segmenter_end(struct segmenter *s)
    __attribute__((warn_unused_result));

/* Where the first sentence of text ends: behind its mark (. ! ? and those of
 * other scripts) and before the blanks that follow; text.len when there is
 * no other sentence.  Abbreviations, ordinals and decimals do not end one. */
size_t sentence_end(struct span text);

#endif
