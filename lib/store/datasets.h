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
/* All, newest first; keyword (or empty) stands in the name. */
enum err datasets_list(struct db *db, struct span keyword,
    struct arena *arena, struct dataset_row **rows, size_t *n)
    __attribute__((warn_unused_result));
/* With its documents. ERR_NOT_FOUND. */
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
/* Without content; dataset NULL: of all, batch NULL: any. */
enum err dataset_documents_list(struct db *db, const char *dataset,
    const char *batch, struct arena *arena,
    struct dataset_document_row **rows, size_t *n)
    __attribute__((warn_unused_result));
enum err dataset_documents_delete(struct db *db, const char *dataset,
    const char *id) __attribute__((warn_unused_result));

#endif
