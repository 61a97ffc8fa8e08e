/*
 * What we add to SQLite's FTS5: the tokenizer "parlance", which indexes the
 * forms of wordforms.h, and the ranking function "parlance_score".
 *
 * Every indexed form carries the number of its dataset ("12:tax"), so one
 * FTS5 table serves all datasets, a search never sees another's segments,
 * and a form's frequency is its frequency in the dataset.  A word of a
 * heading is indexed a second time as "12/tax": the list of headings with a
 * common word is short where the list of texts with it is not.  The forms in
 * a query are taken as they are.
 */
#ifndef PARLANCE_FTS_H
#define PARLANCE_FTS_H

#include "index/vocabulary.h"
#include "store/db.h"

/* What the next rows belong to; set before every insert and delete. */
struct fts_context {
	struct vocabulary *vocabulary;
	const struct language *language;
	int64_t dataset, row;
	int sign; /* 1: being added; -1: being removed */
	int column; /* that comes next: 0, the heading; then the body */
	int64_t words; /* of the column that was read last */
};

/* The context must outlive the connection. ERR_STORE. */
enum err fts_register(struct db *db, struct fts_context *context)
    __attribute__((warn_unused_result));

#endif
