/* What the index holds, for those who list it (the datasets API). */
#ifndef PARLANCE_BROWSE_H
#define PARLANCE_BROWSE_H

#include "base/text.h"
#include "config/config.h"

struct index_store;

/* All functions give ERR_NONE with nothing found when there is no index or
 * no such dataset.  What they give is in the arena. */
struct browse {
	struct index_store *x; /* NULL: there is none */
};

enum err browse_open(const struct config *config, struct browse *b)
    __attribute__((warn_unused_result));
void browse_close(struct browse *b);

struct browse_dataset {
	int64_t documents; /* indexed, or tried */
	int64_t from_api;  /* of them */
	int64_t faulty;    /* of them: could not be read */
	int64_t words;
	int64_t oldest_s, newest_s; /* documents; 0: there is none */
};

enum err browse_dataset(const struct browse *b, const char *dataset,
    struct browse_dataset *out) __attribute__((warn_unused_result));

struct browse_document {
	const char *id, *name, *fault; /* fault NULL: none */
	bool from_api;                 /* else it is a file of the folder */
	bool waiting;                  /* for the index; never says browse_ */
	int64_t position;              /* from 1, the oldest of the dataset */
	int64_t words, tokens, segments;
	int64_t created_s; /* when it came, or the file was last changed */
	int64_t started_s, finished_s; /* being indexed; 0: not yet */
};

struct browse_filter {
	struct span keyword; /* stands in the name or content */
	bool faulty, sound;  /* which documents; one must be set */
};

/* A page of documents, the newest first; total: of all that fit. */
enum err browse_documents(const struct browse *b, const char *dataset,
    const struct browse_filter *filter, int64_t skip, size_t limit,
    struct arena *arena, struct browse_document **list, size_t *n,
    int64_t *total) __attribute__((warn_unused_result));
/* ERR_NOT_FOUND. */
enum err browse_document(const struct browse *b, const char *dataset,
    const char *id, struct arena *arena, struct browse_document *out)
    __attribute__((warn_unused_result));

/* Is there this document? */
enum err browse_has(const struct browse *b, const char *dataset,
    const char *id, bool *has) __attribute__((warn_unused_result));

struct browse_segment {
	const char *id;
	int64_t position, words;
	struct span content;
};

/* A page of segments, in the order of the text; total: of all that fit. */
enum err browse_segments(const struct browse *b, const char *document,
    struct span keyword, int64_t skip, size_t limit, struct arena *arena,
    struct browse_segment **list, size_t *n, int64_t *total)
    __attribute__((warn_unused_result));

#endif
