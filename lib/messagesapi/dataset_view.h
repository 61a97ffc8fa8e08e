/*
 * Datasets as the API shows them: those made over it and those that the
 * configuration declares (their folder's files are their documents; more may
 * be added over the API).
 */
#ifndef PARLANCE_DATASET_VIEW_H
#define PARLANCE_DATASET_VIEW_H

#include "http/exchange.h"
#include "index/browse.h"
#include "store/datasets.h"

struct dataset_view {
	const struct knowledge_config *declared; /* or NULL */
	struct dataset_row row; /* declared: made up from the configuration */
};

/* The dataset that the path names.  ERR_ANSWERED: with 404. */
enum err dataset_view_find(struct exchange *x, struct dataset_view *d)
    __attribute__((warn_unused_result));
/* One declared knowledge as a dataset. */
void dataset_view_declared(const struct config *config,
    const struct knowledge_config *k, struct dataset_view *d);

/* Does keyword stand in name, whatever its case? */
bool dataset_view_fits(struct span keyword, const char *name);

/* What answers are made from; opened for one answer.  It holds a leased
 * connection: nothing else may be leased meanwhile. */
struct dataset_reader {
	struct exchange *x;
	struct db *db;
	struct browse index;
};

enum err dataset_reader_open(struct exchange *x, struct dataset_reader *r)
    __attribute__((warn_unused_result));
void dataset_reader_close(struct dataset_reader *r);

/* A document of the store, which the index may not have yet: then it stands
 * behind those that it has. */
enum err dataset_view_lookup(const struct dataset_reader *r,
    const struct dataset_document_row *row, struct browse_document *out)
    __attribute__((warn_unused_result));

/* The members of a `Dataset` object, with its braces. */
enum err dataset_view_json(const struct dataset_reader *r,
    const struct dataset_view *d, struct buf *out)
    __attribute__((warn_unused_result));
/* A `Document`, with its braces. */
enum err dataset_view_document(const struct dataset_reader *r,
    const struct browse_document *d, struct buf *out)
    __attribute__((warn_unused_result));
/* The members of a `Segment`, without braces. */
enum err dataset_view_segment(const struct dataset_reader *r,
    const struct browse_document *d, const struct browse_segment *s,
    struct buf *out) __attribute__((warn_unused_result));
/* How a document is cut: "text_model" and so on. */
enum err dataset_view_form(const struct dataset_reader *r,
    const struct browse_document *d, const char **form)
    __attribute__((warn_unused_result));
/* has_more, limit, total, page: after the data. */
void dataset_view_page(struct buf *out, int64_t page, int64_t limit,
    int64_t total);

#endif
