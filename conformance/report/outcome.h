/* How the results of a run count, and what a failure looks like. */
#ifndef CHATCONF_OUTCOME_H
#define CHATCONF_OUTCOME_H

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

enum outcome outcome_of(const struct run *run,
    const struct result *result);
/* The same for NAME~live; OUTCOME_NA when it proves nothing. */
enum outcome outcome_of_live(const struct run *run,
    const struct result *result);

struct summary {
	size_t counts[OUTCOME_COUNT];
	const struct jv *off; /* feature -> how many cases it kept away */
};
void summary_make(struct arena *a, const struct run *run,
    struct summary *summary);
/* Did everything that counts pass? */
bool summary_passed(const struct summary *summary);

/* text without the key, as any terminal may show it; "" for NULL. */
const char *outcome_mask(struct arena *a, const struct run *run,
    const char *text);
/* The case's title, its variables filled in. */
const char *outcome_title(struct arena *a, const struct run *run,
    const struct testcase *test);

/* The lines of a failure; what stands between them is up to the writer. */
struct failure {
	const char *title, *request, *where, *expected, *got, *source, *again;
	const char *steps; /* "step 2 of 3", or NULL */
	const char *unsure; /* for an untested case: why, or NULL */
};
/* Everything in it is without the key, and fit to be shown anywhere. */
void failure_describe(struct arena *a, const struct run *run,
    const struct result *result, struct failure *failure);

#endif
