/* What a run found, told to a person and to machines. */
#ifndef CHATCONF_REPORT_H
#define CHATCONF_REPORT_H

#include "cases/known.h"
#include "run/run.h"

#define CHATCONF_VERSION "0.1"

/* A result as it counts in this run. */
enum outcome {
	OUTCOME_OK,
	OUTCOME_FAILED,
	OUTCOME_UNTESTED,     /* counts as failed */
	OUTCOME_KNOWN,        /* failed, as the list of known failures says */
	OUTCOME_KNOWN_PASSES, /* in that list, and passes: failed */
	OUTCOME_WARNING,      /* failed, but its level does not count */
	OUTCOME_NA,
	OUTCOME_COUNT
};
extern const char *const outcome_words[]; /* "ok", "FAIL", ... */

enum outcome report_outcome(const struct run *run,
    const struct result *result);
/* The same for NAME~live; OUTCOME_NA when it proves nothing. */
enum outcome report_live_outcome(const struct run *run,
    const struct result *result);

struct summary {
	size_t counts[OUTCOME_COUNT];
	const struct jv *off; /* feature -> how many cases it kept away */
};
void report_summary(struct arena *a, const struct run *run,
    struct summary *summary);
/* Did everything that counts pass? */
bool report_passed(const struct summary *summary);

/* The lines of a failure; what stands between them is up to the writer. */
struct failure {
	const char *request, *where, *expected, *got, *source, *again;
	const char *steps; /* "step 2 of 3", or NULL */
	const char *unsure; /* for an untested case: why, or NULL */
};
/* Everything in it is without the key. */
void report_failure(struct arena *a, const struct run *run,
    const struct result *result, struct failure *failure);

/* ---- for a person ------------------------------------------------------- */

struct human {
	struct run *run;
	bool colour, waiting; /* a line about the running case stands there */
	int width;
};
void human_init(struct human *human, struct run *run);
void human_begin(struct human *human, size_t requests);
void human_result(void *ctx, struct result *result);
void human_waiting(void *ctx, const struct result *next);
void human_end(struct human *human, double seconds);

/* ---- for machines ------------------------------------------------------- */

struct span report_tap(struct arena *a, const struct run *run);
struct span report_json(struct arena *a, const struct run *run,
    double seconds);
struct span report_junit(struct arena *a, const struct run *run,
    double seconds);
/* Writes the exchange of a failure to DIR/NAME.txt. */
bool report_save(const struct run *run, const struct result *result,
    const char *folder);

#endif
