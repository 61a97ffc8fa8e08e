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
	int64_t start_ms, shown_ms, skipped, remarks;
};

void progress_start(struct progress *p, const char *name, bool verbose,
    int64_t total_files, int64_t total_bytes);
void progress_add(struct progress *p, int64_t bytes);
/* A line about one file; the progress line goes on below it.  Without
 * verbose it goes to the log, where the owner of a site without a shell finds
 * it; of a pass the first twenty. */
void progress_remark(struct progress *p, const char *path, const char *remark);
/* The same for a file that was not read, in words such as "is too large";
 * with verbose it is counted only, because the command that is verbose names
 * all such files at its end, those of earlier passes too. */
void progress_skip(struct progress *p, const char *path, const char *fault);
void progress_end(struct progress *p, int64_t segments);

#endif
