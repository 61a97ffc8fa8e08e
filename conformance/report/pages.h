/* Reports for people: one HTML file, Markdown for the summary of a CI job, a
 * badge, a table of several servers. */
#ifndef CHATCONF_PAGES_H
#define CHATCONF_PAGES_H

#include "groups.h"

/*
 * One file without scripts and without anything from elsewhere: the groups
 * with their requests, replies and marked differences, and the rules they
 * cite, from the case folder, to which the sources link.
 */
struct span page_html(struct arena *a, const struct run *run,
    const char *folder, double seconds);

struct span page_markdown(struct arena *a, const struct run *run,
    double seconds);

/* One line of Markdown: an image from a badge service, and its words. */
struct span page_badge(struct arena *a, const struct run *run);

/* ---- several servers ---------------------------------------------------- */

struct matrix_column {
	const char *name;
	struct groups groups;
	size_t passed, failed;
	const char *verdict; /* of a preflight that failed, or NULL */
};
/* A line a cause, a column a server, the number of cases in it. */
void matrix_print(const struct matrix_column *columns, size_t count);

#endif
