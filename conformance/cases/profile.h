/* A profile: how one API family is reached and what a deployment has. */
#ifndef CHATCONF_PROFILE_H
#define CHATCONF_PROFILE_H

#include "match/jsonval.h"
#include "vars.h"

struct profile {
	const char *name;
	const char *file;
	const char *title;         /* one sentence */
	const struct jv *cases;    /* globs */
	const char *method, *path; /* of most requests */
	const struct jv *headers;
	const struct jv *vars;
	const struct jv *features; /* name -> default */
	const struct jv *needs; /* feature -> a variable it must be given */
	const struct jv *feature_vars; /* feature -> variables when it is on */
	const struct jv *translate;
	const struct jv *signs;
	const struct jv *preflight; /* run/preflight.h */
	const char *url_end; /* what a target's URL may end in, or NULL */
};

/*
 * Reads the profile named by NAME (from the folder of profiles) or by a file
 * name with a '/' or ".json" in it.  NULL after saying on standard error
 * what is wrong.
 */
struct profile *profile_load(struct arena *a, const char *folder,
    const char *name);

/* Does it choose the case of this name? */
bool profile_chooses(const struct profile *profile, const char *name);

/* The variable that a feature needs and that nobody gave, or NULL. */
const char *profile_lacks(const struct profile *profile,
    const struct vars *vars, struct span feature);

/*
 * An expectation in this profile's words: every object in it that holds all
 * members of an entry's "from" has its "to" in their place.  A deployment on
 * pydantic v2 says "Field required" where the documents say "field
 * required"; the cases stay in the documents' words.
 */
const struct jv *profile_translate(struct arena *a,
    const struct profile *profile, const struct jv *expect);

#endif
