/*
 * The table of checks, and the two commands that run it: `parlance check
 * [FILE]` looks at the configuration and what it names, `parlance doctor
 * [URL]` at the whole deployment.  Neither makes or changes anything.  A new
 * check is a row and a function (examination.h).
 */
#ifndef PARLANCE_CHECKS_H
#define PARLANCE_CHECKS_H

#include <stdbool.h>

/*
 * path: the configuration, or NULL to look for it: where the program does,
 * then in the current folder.  Findings go to standard output and error, or
 * as one JSON object to standard output.  True when there is no problem.
 */
bool checks_check(const char *path, bool json);

/* The same for doctor; url: "http://host/app", or NULL: the web server is
 * not asked.  no_engine: engines upstream are not asked either. */
bool checks_doctor(const char *url, bool no_engine, bool json);

/* Prints what is looked at, from the table. */
void checks_list(void);

#endif
