/* Rate and time left are over the whole pass: bytes are what takes time. */
#include "index/progress.h"

#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

#define TERMINAL_MS 200
#define PLAIN_MS 5000
#define LOGGED_MAX 20

void
progress_start(struct progress *p, const char *name, bool verbose,
    int64_t total_files, int64_t total_bytes)
{
	*p = (struct progress){.name = name, .verbose = verbose,
	    .total_files = total_files, .total_bytes = total_bytes};
	p->terminal = verbose && isatty(STDERR_FILENO);
	p->start_ms = p->shown_ms = clock_monotonic_ms();
}

static double
seconds_of(const struct progress *p)
{
	double s = (double)(clock_monotonic_ms() - p->start_ms) / 1000;

	return s > 0.001 ? s : 0.001;
}

static void
show(struct progress *p)
{
	double seconds = seconds_of(p), rate, left;

	rate = (double)p->done_bytes / seconds;
	left = rate > 0
	    ? (double)(p->total_bytes - p->done_bytes) / rate
	    : 0;
	(void)fprintf(stderr,
	    "%s%s: %lld of %lld files, %.1f of %.1f MB, %.1f MB/s, "
	    "%.0f s left%s",
	    p->terminal ? "\r" : "", p->name, (long long)p->done_files,
	    (long long)p->total_files, (double)p->done_bytes / 1e6,
	    (double)p->total_bytes / 1e6, rate / 1e6, left,
	    p->terminal ? "\033[K" : "\n");
	(void)fflush(stderr);
}

void
progress_add(struct progress *p, int64_t bytes)
{
	int64_t now;

	p->done_files++;
	p->done_bytes += bytes;
	if (!p->verbose)
		return;
	now = clock_monotonic_ms();
	if (now - p->shown_ms < (p->terminal ? TERMINAL_MS : PLAIN_MS))
		return;
	p->shown_ms = now;
	show(p);
}

void
progress_skip(struct progress *p, const char *path, const char *fault)
{
	char remark[256];

	p->skipped++;
	if (p->verbose)
		return; /* `parlance index` names all of them at its end */
	(void)snprintf(remark, sizeof(remark), "%s; skipped", fault);
	progress_remark(p, path, remark);
}

void
progress_remark(struct progress *p, const char *path, const char *remark)
{
	p->remarks++;
	if (p->verbose)
		(void)fprintf(stderr, "%s%s: %s %s\n",
		    p->terminal ? "\r\033[K" : "", p->name, path, remark);
	else if (p->remarks <= LOGGED_MAX)
		log_warn("knowledge: %s: %s %s", p->name, path, remark);
	else if (p->remarks == LOGGED_MAX + 1)
		log_warn("knowledge: %s: and further files", p->name);
}

void
progress_end(struct progress *p, int64_t segments)
{
	if (p->verbose)
		(void)fprintf(stderr,
		    "%s%s: %lld files read, %lld left out, %.1f MB in %.1f s; "
		    "%lld segments in all\n",
		    p->terminal ? "\r\033[K" : "", p->name,
		    (long long)(p->done_files - p->skipped),
		    (long long)p->skipped, (double)p->done_bytes / 1e6,
		    seconds_of(p), (long long)segments);
}
