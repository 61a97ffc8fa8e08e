/* How far a long pass is: one line that changes on a terminal, plain lines
 * now and then elsewhere, on standard error. */
#ifndef PARLANCE_PROGRESS_H
#define PARLANCE_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
	const char *name;
	bool verbose, terminal;
	int64_t total_bytes, done_bytes, total_files, done_files;
	int64_t start_ms, shown_ms;
};

void progress_start(struct progress *p, const char *name, bool verbose,
    int64_t total_files, int64_t total_bytes);
void progress_add(struct progress *p, int64_t bytes);
/* A line about one file; the progress line goes on below it. */
void progress_remark(struct progress *p, const char *path, const char *remark);
void progress_end(struct progress *p, int64_t segments);

#endif
