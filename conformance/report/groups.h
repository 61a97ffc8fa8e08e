/*
 * Failures by their cause.  A server with eight mistakes fails some hundred
 * cases; what a person wants to read is eight things.  Two failures have one
 * cause when the same endpoint is missing, the same request that cases change
 * is refused, or the replies differ at the same place in the same way.
 */
#ifndef CHATCONF_GROUPS_H
#define CHATCONF_GROUPS_H

#include "outcome.h"

struct group_member {
	const struct result *result;
	bool live; /* NAME~live, else NAME */
};

struct group {
	const char *key;   /* what its members have in common */
	const char *cause; /* the same for a reader, one line */
	enum outcome outcome;
	enum level level; /* the strictest of its members */
	struct group_member *members;
	size_t count;
};

/* The most important first: what counts before what is a warning, `must`
 * before `should`, what hides other things before what does not, many cases
 * before few. */
struct groups {
	struct group *list;
	size_t count;
	size_t failing; /* how many of them count */
};

/* All failures and warnings of a run; known failures are left out. */
void groups_make(struct arena *a, const struct run *run,
    struct groups *groups);

/* NAME or NAME~live. */
const char *group_member_name(struct arena *a,
    const struct group_member *member);

/* The first names but the group's first, at most max of them, comma between,
 * and "and N more"; "" when there is no other. */
const char *group_names(struct arena *a, const struct group *group,
    size_t max);

#endif
