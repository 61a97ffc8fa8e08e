/* What the index holds, for those who list it (the datasets API). */
#ifndef PARLANCE_BROWSE_H
#define PARLANCE_BROWSE_H

#include "base/text.h"
#include "config/config.h"

struct browse_document {
	const char *id, *name, *fault; /* fault NULL: none */
	bool from_api;                 /* else it is a file of the folder */
	bool waiting;                  /* for the index; browse_ never says so */
	int64_t position, words, segments, created_s;
};

struct browse_segment {
	const char *id;
	int64_t position, words;
	struct span heading, content;
};

/* Everything is in the arena.  All return ERR_NONE with nothing found when
 * there is no index or no such dataset. keyword: empty, or what the name or
 * content must have. total: of all that fit. */
enum err browse_dataset(const struct config *config, const char *dataset,
    int64_t *documents, int64_t *words) __attribute__((warn_unused_result));
enum err browse_documents(const struct config *config, const char *dataset,
    struct span keyword, int64_t offset, size_t limit, struct arena *arena,
    struct browse_document **list, size_t *n, int64_t *total)
    __attribute__((warn_unused_result));
/* ERR_NOT_FOUND. */
enum err browse_document(const struct config *config, const char *dataset,
    const char *id, struct arena *arena, struct browse_document *out)
    __attribute__((warn_unused_result));
enum err browse_segments(const struct config *config, const char *document,
    struct span keyword, int64_t offset, size_t limit, struct arena *arena,
    struct browse_segment **list, size_t *n, int64_t *total)
    __attribute__((warn_unused_result));

#endif
