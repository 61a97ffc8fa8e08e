/*
 * The few requests before the cases: is anything there, is it this API at
 * this address, does it take the key, does it know the bot, does it stream?
 * When one fails, that is the verdict of the run, with what to do about it,
 * instead of hundreds of failures that all mean the same.
 *
 * They are data, the profile's `preflight` (fixtures/README.md).  What is
 * merely wrong in a reply is no business of theirs: that is for the cases.
 */
#ifndef CHATCONF_PREFLIGHT_H
#define CHATCONF_PREFLIGHT_H

#include "run.h"

struct preflight {
	const char *unreachable; /* why not one reply came, or NULL */
	const char *says;        /* what is wrong, one line; NULL: nothing */
	const char *remedy;      /* then */
	const char *notice;      /* what is no verdict but worth a line */
	size_t requests;
};

/* Sends them, at most four and what tells their failures apart. */
void preflight_run(struct arena *a, const struct run *run,
    struct preflight *out);

/* Is list, a profile's `preflight`, well made?  Else the faulty part and
 * why. */
const char *preflight_fault(struct arena *a, const struct jv *list,
    const struct jv **at);

#endif
