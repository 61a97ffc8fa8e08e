/*
 * What the Makefile makes of page.html, page.css, page.js and its kin,
 * embed.js and words/ (site_make.c): the chat page in pieces, and what is
 * said in each language.
 */
#ifndef PARLANCE_SITE_PARTS_H
#define PARLANCE_SITE_PARTS_H

#include <stddef.h>

#include "base/text.h"
#include "site/site_words.h"

/* What stands behind a piece of the page: "{{title}}" and so on. */
enum site_slot {
	SITE_SLOT_END,
	SITE_SLOT_LANGUAGE,
	SITE_SLOT_DIRECTION,
	SITE_SLOT_TITLE,
	SITE_SLOT_NOSCRIPT,
	SITE_SLOT_CONTACT,
	SITE_SLOT_SETTINGS
};

struct site_piece {
	struct span text;
	enum site_slot slot;
};

struct site_language {
	const char *code; /* "en" */
	const char *words[SITE_WORD_COUNT];
};

/* Style and script are in them; the last one's slot is SITE_SLOT_END. */
extern const struct site_piece site_pieces[];
/* English first. */
extern const struct site_language site_languages[SITE_LANGUAGES];
extern const char *const site_language_codes[SITE_LANGUAGES];
extern const struct span site_embed;
/* Sources of a Content-Security-Policy, "'sha256-...'". */
extern const char site_script_source[], site_style_source[];
/* Changes with any of the files: part of ETags. */
extern const char site_version[];

#endif
