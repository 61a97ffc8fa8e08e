/* One document's text into the index. */
#ifndef PARLANCE_INGEST_H
#define PARLANCE_INGEST_H

#include "index/index_store.h"

/* Paths of documents that came over the API begin so; a file's never. */
#define INGEST_API_PATH "//"
#define INGEST_API_PATH_END "/0" /* the first text behind all of them */

/*
 * Adds the document: guesses its language unless the dataset declares one,
 * cuts the text as the kind of file_name asks, and indexes the segments;
 * equal ones of a document are kept once.  A document with a fault is listed
 * without segments.  d->share and d->remark (may stay as it was; in
 * d->said or static) say what was left out.
 */
enum err ingest_document(struct index_store *x, struct index_dataset *dataset,
    struct index_document *d, const char *file_name, struct span text)
    __attribute__((warn_unused_result));

#endif
