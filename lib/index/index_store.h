/*
 * The search index: state/index.db.  Derived data in a file of its own, so
 * it may be deleted at any time; another schema version, or damage, means
 * that it is built anew.
 *
 * One writer at a time (a lock file); what it does is one transaction, so
 * readers see the index before or after, never between, and a killed writer
 * leaves the index as it was.  Where the file system does not allow WAL a
 * writer works on a copy and renames it.
 */
#ifndef PARLANCE_INDEX_STORE_H
#define PARLANCE_INDEX_STORE_H

#include "config/config.h"
#include "index/fts.h"
#include "documents/segments.h"

struct index_store {
	struct db *db;
	struct fts_context fts;
	struct vocabulary vocabulary;
	int lock;          /* the writer's; -1 */
	bool in_pass;
	int64_t last_segment; /* its id; 0: not looked up yet */
	char path[4096];   /* of index.db */
	char copy[4104];   /* what is renamed to it; "" with WAL */
};

/* For searching.  ERR_NOT_FOUND: there is none (of this version) yet. */
enum err index_open(const struct config *config, struct index_store **x)
    __attribute__((warn_unused_result));

/* For one pass of changes.  wait: for another writer to finish; else
 * ERR_STORE_BUSY says that there is one.  aside: work on a copy even where
 * WAL is possible (for tests). */
enum err index_open_writer(const struct config *config, bool wait, bool aside,
    struct index_store **x) __attribute__((warn_unused_result));
/* Makes the pass's changes visible, all at once. */
enum err index_commit(struct index_store *x)
    __attribute__((warn_unused_result));
/* Frees it; changes that were not committed never happened. NULL is fine. */
void index_close(struct index_store *x);

/* Removes a damaged index (ERR_STORE_CORRUPT), and closes it: the next look
 * at the folders builds it anew.  Not while a writer works on it, nor when
 * another stands in its place already. */
void index_discard(const struct config *config, struct index_store *x);

struct index_dataset {
	int64_t id;
	const char *uid, *name, *language; /* language may be NULL: each
	                                    * document's own, guessed */
	const char *encoding; /* of texts that do not tell, or NULL */
	int64_t segments, words;
	uint32_t languages; /* that its documents are in, as a mask */
};

/* Finds it by uid; *d->id is 0 when there is none.  Texts in the arena. */
enum err index_find_dataset(struct index_store *x, const char *uid,
    struct arena *arena, struct index_dataset *d)
    __attribute__((warn_unused_result));

/* For writers, from here.  Finds or makes it, and brings its name up to
 * date.  Another language or encoding than before empties it. */
enum err index_put_dataset(struct index_store *x, const char *uid,
    const char *name, const char *language, const char *encoding,
    struct index_dataset *d)
    __attribute__((warn_unused_result));
enum err index_remove_dataset(struct index_store *x,
    const struct index_dataset *d) __attribute__((warn_unused_result));

#define INDEX_SAID_MAX 160

struct index_document {
	int64_t id;
	const char *path; /* in its folder; its name among the dataset's */
	const char *uid, *name;
	int64_t size, changed_ns;
	struct span hash;
	const char *language; /* code or NULL */
	const char *fault;    /* why it was skipped, or NULL */
	bool again;           /* try again, though it has not changed */
	const char *remark;   /* what is worth knowing of it, or NULL */
	int64_t share;        /* percent of its text that was taken */
	char said[INDEX_SAID_MAX]; /* room for a remark */
	int64_t segments, words, tokens;
};

/* A segment's id: its document's and its words', so that it stays the same
 * however often the index is made anew.  In the arena; NULL: no memory. */
const char *index_segment_uid(struct arena *arena, const char *document,
    struct span content);

/* Adds the row; d->id is set.  Segments follow, then index_end_document. */
enum err index_begin_document(struct index_store *x,
    const struct index_dataset *dataset, struct index_document *d)
    __attribute__((warn_unused_result));
enum err index_add_segment(struct index_store *x,
    const struct index_dataset *dataset, struct index_document *d,
    const struct segment *segment) __attribute__((warn_unused_result));
/* Records the counts; fault may have been set meanwhile. */
enum err index_end_document(struct index_store *x,
    struct index_dataset *dataset, const struct index_document *d)
    __attribute__((warn_unused_result));
/* Notes new times of a file whose bytes are the same. */
enum err index_touch_document(struct index_store *x,
    const struct index_document *d) __attribute__((warn_unused_result));
enum err index_remove_document(struct index_store *x,
    struct index_dataset *dataset, int64_t document)
    __attribute__((warn_unused_result));

/* Writes the dataset's totals and its forms' frequencies; also when memory
 * runs high, in the middle of a pass. */
enum err index_settle(struct index_store *x, struct index_dataset *dataset)
    __attribute__((warn_unused_result));

#endif
