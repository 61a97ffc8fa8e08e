/*
 * Datasets as the API shows them: those made over it and those that the
 * configuration declares (their folder's files are their documents; more may
 * be added over the API).
 */
#ifndef PARLANCE_DATASET_VIEW_H
#define PARLANCE_DATASET_VIEW_H

#include "http/exchange.h"
#include "knowledge/browse.h"
#include "store/datasets.h"

struct dataset_view {
	const struct knowledge_config *declared; /* or NULL */
	struct dataset_row row; /* declared: made up from the configuration */
};

/* The dataset that the path names. False: answered with 404, or *err. */
bool dataset_view_find(struct exchange *x, struct dataset_view *d,
    enum err *err);
/* One declared knowledge as a dataset. */
void dataset_view_declared(const struct knowledge_config *k,
    struct dataset_view *d);

/* The members of a `Dataset` object, with its braces. */
enum err dataset_view_json(struct exchange *x, const struct dataset_view *d,
    struct buf *out) __attribute__((warn_unused_result));
/* A `Document`, a `Segment`. */
void dataset_view_document(struct exchange *x,
    const struct browse_document *d, const char *doc_form, struct buf *out);
void dataset_view_segment(struct exchange *x, const char *document,
    const struct browse_segment *s, struct buf *out);
/* has_more, limit, total, page: after the data. */
void dataset_view_page(struct buf *out, int64_t page, int64_t limit,
    int64_t total);

#endif
