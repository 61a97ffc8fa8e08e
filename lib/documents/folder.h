/* The files of a knowledge's folder, without opening them. */
#ifndef PARLANCE_FOLDER_H
#define PARLANCE_FOLDER_H

#include "config/config.h"

#define FOLDER_FILES_MAX 200000
#define FOLDER_DEPTH_MAX 16
#define FOLDER_NAMED_MAX 100

struct folder_file {
	const char *path; /* below the folder */
	int64_t size, changed_ns;
};

/* A file or folder that is not even opened. */
struct folder_omission {
	const char *path;
	const char *why; /* in words, static: "is a link to ..." */
};

struct folder_list {
	struct folder_file *files; /* sorted by path; to free() */
	size_t n, size;
	size_t others;     /* files whose kind holds no text: pictures ... */
	const char *other; /* the first of these, or NULL */
	struct folder_omission left_out[FOLDER_NAMED_MAX]; /* in the walk's
	                                                    * order */
	size_t n_left_out; /* of all; the first FOLDER_NAMED_MAX are named */
	bool cut; /* more than FOLDER_FILES_MAX, or too deep */
};

/*
 * Lists the files that the knowledge's patterns name (or whose kind is
 * known), in all folders below; names that begin with a dot are left out,
 * symbolic links to folders are not followed, nor, unless the knowledge says
 * outside_links, links to files outside the folder.  Texts in the arena.
 *
 * ERR_NOT_FOUND  there is no such folder (an empty list).
 * ERR_IO         this user may not read it, or reading failed; errno says.
 * ERR_MEMORY
 */
enum err folder_read(const struct knowledge_config *k, struct arena *arena,
    struct folder_list *list) __attribute__((warn_unused_result));
void folder_release(struct folder_list *list);

#endif
