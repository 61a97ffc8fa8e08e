/*
 * How often turns found a segment.  A row for each that was ever found;
 * those of a document over the API go with it, those of a file that is no
 * longer in its folder stay: the same text coming back has the same id.
 */
#ifndef PARLANCE_SEGMENT_HITS_H
#define PARLANCE_SEGMENT_HITS_H

#include "store/db.h"

/* Counts one. */
enum err segment_hits_add(struct db *db, const char *document,
    const char *segment) __attribute__((warn_unused_result));
/* Of one segment; of all of the document when segment is NULL. */
enum err segment_hits_count(struct db *db, const char *document,
    const char *segment, int64_t *hits) __attribute__((warn_unused_result));

#endif
