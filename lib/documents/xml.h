/*
 * XML, piece by piece: what office documents are written in.  Names lose
 * their prefix, which every producer chooses itself.  Entities of a document
 * type are not expanded.  What is not well formed is read as far as it makes
 * sense.
 */
#ifndef PARLANCE_XML_H
#define PARLANCE_XML_H

#include "base/buf.h"
#include "base/text.h"

enum xml_kind { XML_END, XML_OPEN, XML_CLOSE, XML_TEXT };

struct xml_piece {
	enum xml_kind kind;
	struct span name;  /* OPEN, CLOSE: without its prefix */
	struct span attributes;
	bool empty;        /* OPEN: <name/>; no CLOSE follows */
	struct span text;  /* TEXT: as it stands */
	bool verbatim;     /* TEXT: of CDATA, without entities */
};

/* The next piece of *rest; comments and instructions are passed over.  The
 * piece points into the text. */
enum xml_kind xml_next(struct span *rest, struct xml_piece *piece);

/* An attribute's value as it stands, by its name without prefix; data NULL
 * when there is none. */
struct span xml_attribute(const struct xml_piece *piece, const char *name);

/* Adds text with its entities replaced: the five of XML and numbers. */
void xml_put_text(struct span text, struct buf *out);

#endif
