/* The report for a person who watches or reads a terminal. */
#ifndef CHATCONF_HUMAN_H
#define CHATCONF_HUMAN_H

#include "groups.h"

/* How much is said about each case. */
enum human_detail {
	HUMAN_GROUPS, /* nothing: the groups at the end say it */
	HUMAN_CASES,  /* a line each, with its failure */
	HUMAN_ALL     /* every exchange too, and the groups */
};

struct human {
	struct run *run;
	enum human_detail detail;
	bool colour, waiting; /* a line about the running case stands there */
	int width;
	int64_t begun_us;
};
/* Up to HUMAN_FEW cases are shown one by one. */
#define HUMAN_FEW 40
void human_init(struct human *human, struct run *run);
void human_begin(struct human *human, size_t requests);
/* Why the run was not worth making, and what to do. */
void human_verdict(struct human *human, const char *says,
    const char *remedy);
/* One line that is neither a verdict nor about a case. */
void human_notice(struct human *human, const char *text);
void human_result(void *ctx, struct result *result);
void human_waiting(void *ctx, const struct result *next);
void human_end(struct human *human, double seconds);

#endif
