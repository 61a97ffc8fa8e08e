/* A sample is broken at one place; the broken reply must be refused. */
#ifndef CHATCONF_BREAKING_H
#define CHATCONF_BREAKING_H

#include "cases/casefile.h"
#include "match/check.h"

struct selftest_score {
	size_t cases, samples, breaks;
	size_t accepted; /* broken replies that got through */
	size_t errors;   /* those, samples refused, and other faults */
};

/* How the bytes of a reply are spoilt. */
enum damage {
	DAMAGE_NONE,
	DAMAGE_HEADER,   /* a header line that is none */
	DAMAGE_CUT,      /* the last byte is missing */
	DAMAGE_MORE,     /* something follows */
	DAMAGE_NOT_UTF8, /* a byte that is no text */
	DAMAGE_EMPTY,    /* no body at all */
	DAMAGE_MARK,     /* a byte order mark before a stream */
	DAMAGE_LINE,     /* a line that is no field */
	DAMAGE_NUL,      /* a NUL byte in a stream */
	DAMAGE_PING      /* not one: an ignored event, to be accepted */
};

struct testing {
	struct arena arena;
	const struct testcase *test;
	size_t step;
	const struct prepared *p;
	struct selftest_score *score;
	const char *ping; /* a name to ignore */
};

/* Notes a fault of the case or of the checker. */
void selftest_error(struct testing *t, const char *what, const char *detail);

/* The broken sample must be refused; what and detail name the breaking. */
void selftest_refuse(struct testing *t, const struct jv *sample,
    enum damage damage, const char *what, const char *detail);

/* The sample with value at path (NULL: removed) must be refused. */
void selftest_break_at(struct testing *t, const struct jv *sample,
    const char *path, const struct jv *value);

/* Every way of breaking what m describes at path. */
void selftest_break(struct testing *t, const struct jv *sample,
    const struct jv *m, const char *path);

/* The same, with what was read on the way and the difference. */
bool selftest_read(struct testing *t, const struct jv *sample,
    enum damage damage, struct content *content, struct difference *d);

/* Does the expectation accept it? */
bool selftest_accepts(struct testing *t, const struct jv *sample,
    enum damage damage);

/* Could m, by what its word says, accept the wrong value?  Not asked of the
 * matcher itself. */
bool breaking_admits(const struct jv *m, const struct jv *wrong);

/* The JSON Pointer of a member below path. */
const char *breaking_path(struct testing *t, const char *path,
    struct span name);

#endif
