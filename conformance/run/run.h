/* A run: the chosen cases, sent by workers, with a result each. */
#ifndef CHATCONF_RUN_H
#define CHATCONF_RUN_H

#include <pthread.h>

#include "cases/casefile.h"
#include "match/matcher.h"
#include "match/sse.h"
#include "targets/target.h"

enum verdict {
	VERDICT_WAITING, /* not run: the run was stopped */
	VERDICT_OK,
	VERDICT_FAILED,
	VERDICT_UNTESTED, /* the control was refused */
	VERDICT_NA        /* a feature it needs is off */
};

struct result {
	const struct testcase *test;
	enum verdict verdict;
	bool done;
	bool known; /* the name is in the list of known failures */
	bool live_known;
	int64_t us; /* the time of its exchanges and pauses */
	size_t events;
	unsigned tries;
	const char *feature; /* the one that is off */
	const char *lacks;   /* a variable that it needs and nobody gave */
	/* Of a failure: where it came to pass. */
	size_t step;
	struct wire_request request;
	struct reply reply;
	struct difference difference;
	/* Of the streams in it: the worst. */
	enum sse_live live;
	bool streamed;
	const char *live_why;
	/* With -v: every exchange, as text. */
	struct buf log;
	struct arena arena; /* holds all of this */
};

struct run_options {
	bool strict, house, stop, quiet, verbose;
	int jobs, timeout_ms, retries;
};

struct sign_count {
	const char *says;
	size_t replies;
};

struct run {
	struct run_options options;
	struct target *target;
	const struct profile *profile;
	struct vars vars;   /* all layers but captures and rows */
	const char *secret; /* never shown; "" without a key */
	struct result *results;
	size_t count;
	/* Called under the lock, in the order of the cases. */
	void (*on_result)(void *ctx, struct result *result);
	void (*on_waiting)(void *ctx, const struct result *next);
	void *ctx;
	/* Of a preflight that failed, so that no case was run; else NULL. */
	const char *verdict, *remedy;

	/* Private to run.c. */
	pthread_mutex_t lock;
	struct control *controls;
	size_t next, reported, requests, reached;
	bool stopped;
	size_t control_count;
	char *unreachable; /* why, when not one reply came */
	struct sign_count *signs;
	size_t sign_count;
};

/* Runs everything; on_result sees each result once.  The results stay until
 * run_release. */
void run_all(struct run *run, size_t suite_count);
void run_release(struct run *run);

/* Does a failure of this level make the run fail? */
bool run_counts(const struct run_options *options, enum level level);

#endif
