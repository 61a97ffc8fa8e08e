/*
 * The XML of word processors, to simple HTML: headings, paragraphs, tables.
 * Within office.c, which unpacks it.
 */
#ifndef PARLANCE_OFFICE_XML_H
#define PARLANCE_OFFICE_XML_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/text.h"
#include "documents/segments.h"

#define OFFICE_BOXES_MAX 8 /* text boxes and notes, one in the other */

enum notes_kind { NOTES_FOOT, NOTES_END, NOTES_KINDS };

/* Bytes of text that a page left out. */
struct office_omissions {
	int64_t hidden, deleted;
};

struct office_style {
	struct span id, based_on;
	int level;        /* of a heading; 0: none, -1: not said */
	bool hidden;
};

struct office_note {
	struct span id, text;
};

/* A paragraph; one may stand in a text box within another. */
struct office_box {
	struct buf text;  /* HTML */
	int level;        /* of a heading; 0: none */
	bool hidden, run_hidden, is_note;
};

struct office_page {
	struct arena arena;
	struct buf *out;
	struct office_style *styles;
	size_t n_styles;
	struct office_note *notes[NOTES_KINDS];
	size_t n_notes[NOTES_KINDS];
	struct office_box boxes[OFFICE_BOXES_MAX];
	int box;
	struct buf note;      /* of the note being read */
	struct buf deferred;  /* long notes of the paragraph, HTML */
	bool in_text, in_paragraph_properties;
	bool choice_taken;    /* of the alternatives at hand */
	int cells;            /* table cells that are open */
	bool cell_begun;      /* the innermost has text */
	size_t skipping;      /* elements open, the skipped one included */
	bool skip_counts;     /* what is skipped is text left out ... */
	bool skip_is_hidden;  /* ... because it is hidden */
	struct office_omissions left_out;
	enum err err;
};

void office_page_init(struct office_page *p, struct buf *out);
/* word/styles.xml; the text must live as long as p. */
void office_page_styles(struct office_page *p, struct span xml);
/* word/footnotes.xml or endnotes.xml */
void office_page_notes(struct office_page *p, enum notes_kind kind,
    struct span xml);
/* word/document.xml, to p->out */
void office_page_word(struct office_page *p, struct span xml);
/* content.xml of an ODT, to p->out */
void office_page_odt(struct office_page *p, struct span xml);
/* Frees what it holds; ERR_MEMORY or ERR_TOO_BIG. */
enum err office_page_end(struct office_page *p)
    __attribute__((warn_unused_result));

#endif
