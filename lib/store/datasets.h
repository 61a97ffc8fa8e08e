/* Datasets that were made over the API, and the documents put into them. */
#ifndef PARLANCE_DATASETS_H
#define PARLANCE_DATASETS_H

#include <stddef.h>

#include "store/db.h"

struct dataset_row {
	int64_t seq;
	const char *id, *name, *description, *permission;
	const char *technique, *embedding_model, *embedding_provider; /* or
	                                                        * NULL */
	struct span retrieval_json; /* data NULL: none was given */
	int64_t created_us, updated_us;
};

struct dataset_document_row {
	int64_t seq;
	const char *id, *dataset, *batch, *name, *file_name, *doc_form;
	struct span content; /* only where it says so */
	int64_t created_us;
};

/* ERR_CONFLICT: there is one of this name. */
enum err datasets_add(struct db *db, const struct dataset_row *row)
    __attribute__((warn_unused_result));
/* ERR_NOT_FOUND. */
enum err datasets_find(struct db *db, struct span id, struct arena *arena,
    struct dataset_row *row) __attribute__((warn_unused_result));
/* What a listing leaves out; the zeroed struct is all but partial ones. */
struct datasets_filter {
	struct span keyword; /* stands in the name, whatever its case */
	bool partial;        /* also those of permission partial_members */
};
/* A page, newest first; *total: of all pages.  The rows are in the arena,
 * and cost nothing but themselves and what was skipped. */
enum err datasets_page(struct db *db, const struct datasets_filter *filter,
    int64_t skip, size_t limit, struct arena *arena,
    struct dataset_row **rows, size_t *n, int64_t *total)
    __attribute__((warn_unused_result));
/* With its documents, inside a write transaction. ERR_NOT_FOUND. */
enum err datasets_delete(struct db *db, struct span id)
    __attribute__((warn_unused_result));
/* What the first document of a dataset decides. */
enum err datasets_set_technique(struct db *db, const char *id,
    const char *technique) __attribute__((warn_unused_result));

enum err dataset_documents_add(struct db *db,
    const struct dataset_document_row *row)
    __attribute__((warn_unused_result));
/* With content. ERR_NOT_FOUND. */
enum err dataset_documents_find(struct db *db, const char *id,
    struct arena *arena, struct dataset_document_row *row)
    __attribute__((warn_unused_result));
/* At most limit of a batch, oldest first, after the one of this seq (0:
 * from the first); without content. */
enum err dataset_documents_batch(struct db *db, const char *dataset,
    const char *batch, int64_t after, size_t limit, struct arena *arena,
    struct dataset_document_row **rows, size_t *n)
    __attribute__((warn_unused_result));
/* The same of all datasets; only seq, id and dataset are filled. */
enum err dataset_documents_ids(struct db *db, int64_t after, size_t limit,
    struct arena *arena, struct dataset_document_row **rows, size_t *n)
    __attribute__((warn_unused_result));
/* Of one dataset, the newest first, before the one of this seq (INT64_MAX:
 * from the first); without content. */
enum err dataset_documents_newest(struct db *db, const char *dataset,
    int64_t before, size_t limit, struct arena *arena,
    struct dataset_document_row **rows, size_t *n)
    __attribute__((warn_unused_result));
/* How many, and the form of the oldest (NULL: there is none). */
enum err dataset_documents_count(struct db *db, const char *dataset,
    struct arena *arena, int64_t *n, const char **form)
    __attribute__((warn_unused_result));
/* Its doc_form, in the arena. ERR_NOT_FOUND. */
enum err dataset_documents_form(struct db *db, const char *id,
    struct arena *arena, const char **form)
    __attribute__((warn_unused_result));
/* With the hits of its segments, inside a write transaction.
 * ERR_NOT_FOUND. */
enum err dataset_documents_delete(struct db *db, const char *dataset,
    const char *id) __attribute__((warn_unused_result));

#endif
