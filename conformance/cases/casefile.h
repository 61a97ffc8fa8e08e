/*
 * The case files: read, and found right or wrong before anything is sent.
 * The format is described in fixtures/README.md.
 */
#ifndef CHATCONF_CASEFILE_H
#define CHATCONF_CASEFILE_H

#include "match/wire.h"
#include "match/jsonval.h"
#include "profile.h"
#include "vars.h"

enum level { LEVEL_MUST, LEVEL_SHOULD, LEVEL_HOUSE };
extern const char *const level_names[]; /* by enum level */

struct suite {
	const char *name, *file;
	const char *source;    /* or NULL */
	const struct jv *base; /* the request that cases change, or NULL */
	size_t index;          /* its place in the book */
};

struct case_step {
	const struct jv *request; /* or NULL, then: */
	const struct jv *change;
	const struct jv *expect;
	const struct jv *capture; /* or NULL */
	const struct jv *sample;  /* or NULL */
	/* Not 0: sent while the reply to the step before is still coming, as
	 * soon as its captures are there; that reply must then end within so
	 * many milliseconds. */
	int during_ms;
	/* That reply must go on for so long instead. */
	bool goes_on;
	/* Waits before it is sent: for times of whole seconds. */
	int pause_ms;
	unsigned line;
};

/* One case, or one row of one. */
struct testcase {
	const struct suite *suite;
	const char *name; /* SUITE/ID or SUITE/ID/ROW */
	const char *title, *source;
	enum level level;
	const struct jv *requires; /* an array of names, or NULL */
	const struct jv *row;      /* or NULL */
	struct case_step *steps;
	size_t step_count;
	unsigned line;
};

struct casebook {
	struct suite **suites;
	size_t suite_count;
	struct testcase *cases;
	size_t count;
};

/* Reads every case below folder.  false after saying on standard error all
 * that is wrong. */
bool casebook_load(struct arena *a, const char *folder,
    struct casebook *book);
void casebook_release(struct casebook *book);

/* A step with its variables filled in. */
struct prepared {
	const struct jv *request; /* the format's object */
	const struct jv *expect;  /* in the profile's words */
	const struct jv *sample;  /* or NULL */
	struct wire_request wire; /* what is sent */
};

/*
 * Fills in one step.  vars has every layer but the row's, which is taken
 * from the case.  NULL, or what is wrong; nothing can be if casebook_check
 * found nothing.
 */
const char *step_prepare(struct arena *a, const struct profile *profile,
    const struct vars *vars, const struct testcase *test, size_t step,
    struct prepared *out);

/* What a step captures stands as the text "captured" while nothing is
 * sent: for checking and explaining the steps behind it. */
void step_pretend(struct arena *a, struct vars *vars,
    const struct case_step *step);

/* The request of the suite's control, its unchanged base. */
const char *control_prepare(struct arena *a, const struct profile *profile,
    const struct vars *vars, const struct suite *suite,
    struct wire_request *out);

/*
 * Is the case usable with this profile and these variables: is every
 * variable defined, every feature known, every matcher one?  false after
 * saying on standard error what is wrong.
 */
bool casebook_check(const struct profile *profile, const struct vars *vars,
    const struct testcase *test);

/* The title with its variables filled in. */
const char *testcase_title(struct arena *a, const struct vars *vars,
    const struct testcase *test);

#endif
