/*
 * What `parlance check` and `parlance doctor` have in common: findings, and
 * where they go.  The checks themselves are rows of one table (checks.c); a
 * check looks, changes nothing, and calls finding() for what it sees.
 */
#ifndef PARLANCE_EXAMINATION_H
#define PARLANCE_EXAMINATION_H

#include <stdbool.h>

struct config;
struct examination;
struct json_object;

enum severity {
	FINDING_OK,
	FINDING_NOTE, /* worth knowing; nothing need be done */
	FINDING_WRONG /* a problem: the command ends with status 1 */
};

struct finding {
	enum severity severity;
	const char *subject; /* such as "state" */
	const char *message; /* a whole sentence without its full stop */
	const char *fix;     /* a command or a line of a file; NULL: none */
};

/* Which command runs a check. */
enum examiner {
	BY_CHECK = 1, /* quick, about the configuration and what it names */
	BY_DOCTOR = 2,
	BY_BOTH = BY_CHECK | BY_DOCTOR
};

/* A row of the table. */
struct check {
	const char *name;       /* the subject of its findings */
	const char *looks_at;   /* for the user, in some words */
	enum severity worst;    /* of its findings */
	const char *remedy;     /* a finding's that has none of its own */
	enum examiner by;
	void (*run)(struct examination *e);
};

struct examination {
	const struct config *config;
	const char *url;           /* doctor's; NULL: none was given */
	bool no_engine;            /* doctor: engines are not asked */
	enum examiner by;          /* one of them */
	const struct check *check; /* the row that runs */
	int problems;              /* findings that are wrong, so far */
	void (*report)(struct examination *e, const struct finding *f);
	struct json_object *list;  /* report_json()'s array */
};

/*
 * Reports a finding.  subject: NULL is the check's name.  fix: NULL is, for
 * what is wrong, the check's remedy.
 */
void finding(struct examination *e, enum severity severity,
    const char *subject, const char *fix, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* Where findings go: of doctor, each as a line on standard output; of check,
 * what is wrong on standard error and notes on standard output; as JSON, into
 * e->list. */
void report_doctor(struct examination *e, const struct finding *f);
void report_check(struct examination *e, const struct finding *f);
void report_json(struct examination *e, const struct finding *f);

#define FIX_MAX 4352

/* "COMMAND PATH", as a shell takes it. */
const char *fix_path(char fix[FIX_MAX], const char *command,
    const char *path);

#endif
