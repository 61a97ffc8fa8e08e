/* The files of a knowledge's folder, without opening them. */
#ifndef PARLANCE_FOLDER_H
#define PARLANCE_FOLDER_H

#include "config/config.h"

#define FOLDER_FILES_MAX 200000
#define FOLDER_DEPTH_MAX 16

struct folder_file {
	const char *path; /* below the folder */
	int64_t size, changed_ns;
};

struct folder_list {
	struct folder_file *files; /* sorted by path; to free() */
	size_t n, size;
	size_t others;     /* files whose kind is not known */
	const char *other; /* the first of these, or NULL */
	bool cut; /* more than FOLDER_FILES_MAX, or too deep */
};

/*
 * Lists the files that the knowledge's patterns name (or whose kind is
 * known), in all folders below; names that begin with a dot are left out,
 * symbolic links to folders are not followed.  Texts in the arena.
 *
 * ERR_NOT_FOUND: there is no such folder (an empty list). ERR_MEMORY.
 */
enum err folder_read(const struct knowledge_config *k, struct arena *arena,
    struct folder_list *list) __attribute__((warn_unused_result));
void folder_release(struct folder_list *list);

#endif
