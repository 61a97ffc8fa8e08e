/* What became of the files of a folder: how much of each was taken, what was
 * left out and why.  Reads the index and the folder's names; changes
 * nothing. */
#ifndef PARLANCE_REPORT_H
#define PARLANCE_REPORT_H

#include "config/config.h"

struct report_file {
	const char *path;   /* below the folder */
	const char *fault;  /* why it was left out, in words; NULL: it is in */
	const char *remark; /* what else is worth knowing, or NULL */
	int64_t segments, share; /* share: percent of its text taken */
};

struct report {
	struct report_file *files; /* in the arena */
	size_t n;
	size_t unnamed; /* left out too: more than folder.h names */
};

/*
 * all: every file; else those that were left out.  Before the first pass
 * only what is not even opened is known.  ERR_NOT_FOUND, ERR_IO: the folder
 * is missing or closed to this user (folder.h), nothing is in *report.
 */
enum err report_read(const struct config *config,
    const struct knowledge_config *k, bool all, struct arena *arena,
    struct report *report) __attribute__((warn_unused_result));

#endif
