/*
 * How well a segment fits a question: a number from 0 to 1.
 *
 * It is the weighted share of the question that the segment answers.  Each
 * word of the question has a weight, its idf in the dataset (a word that no
 * segment has weighs as much as the rarest; stop words next to nothing).
 *
 *   text      BM25 (k1 1.2, b 0.75) divided by the most it could be
 *   coverage  the weight of the words that occur, over all
 *   pairs     the weight of neighbours in the question that are neighbours
 *             in the segment, over all
 *   heading   how far heading and question name the same: the weight of the
 *             question's words in the heading, times the share of the
 *             heading's words that are the question's
 *   cells     in a row of a table: the weight of the question's words that
 *             make up a whole cell
 *
 * rank.c has the one formula that joins them, and says what each score
 * means: about 0.5 and more, the segment is about the question; below 0.3,
 * some of its words occur.
 */
#ifndef PARLANCE_RANK_H
#define PARLANCE_RANK_H

#include "knowledge/query.h"
#include "index/vocabulary.h"

#define RANK_TABLE 2048 /* slots for the forms of a query */

struct rank_query {
	const struct query *q;
	double weights[QUERY_TERMS_MAX];
	double total;       /* of the words that count */
	double mean_words;  /* of the dataset's segments */
	struct {
		struct span form;
		size_t term;
	} table[RANK_TABLE]; /* of all forms, by hash */
};

struct rank_segment {
	int64_t position, words;
	bool is_row;
	struct span heading, content;
	const char *document_name, *document_uid, *document_path;
	const struct language *language;
};

/* frequency: in how many segments each term of q is, of `segments` that
 * have `words` words in all. */
void rank_prepare(struct rank_query *r, const struct query *q,
    const int64_t *frequency, int64_t segments, int64_t words);

/* Which term of the question a word is, by its forms; QUERY_TERMS_MAX for
 * none (also when e is NULL). */
size_t rank_term(const struct rank_query *r, const struct vocabulary_entry *e);

/* 0 to 1: how far the segment answers the question (README.md, Scores). */
double rank_score(const struct rank_query *r, struct vocabulary *v,
    const struct rank_segment *segment);

#endif
