/* `parlance doctor [URL]`: what is wrong with a deployment, and what fixes
 * it.  It changes nothing. */
#ifndef PARLANCE_DOCTOR_H
#define PARLANCE_DOCTOR_H

#include <stdbool.h>

struct config;

/* Examines the folders and files, and, through its URL ("http://host/app";
 * NULL: not), the web server; prints a line for each finding.  True when
 * nothing is wrong. */
bool doctor_run(const struct config *config, const char *url);

#endif
