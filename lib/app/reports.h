/*
 * What the owner of a deployment sees of it: the commands `parlance
 * conversations`, `usage`, `forget` and `site`.  Each takes the words behind
 * its name; the result is the exit status, as admin_main()'s.
 */
#ifndef PARLANCE_REPORTS_H
#define PARLANCE_REPORTS_H

struct config;

int report_conversations(const struct config *c, int argc, char **argv);
int report_usage(const struct config *c, int argc, char **argv);
int report_site(const struct config *c, int argc, char **argv);
int report_forget(const struct config *c, int argc, char **argv);

/* Their arguments, for the help. */
#define REPORT_CONVERSATIONS_ARGUMENTS                                         \
	"[--site NAME] [--since DAY] [--unanswered] [--csv | --json] "         \
	"[--page N]"
#define REPORT_USAGE_ARGUMENTS "[--since DAY] [--csv | --json] [--page N]"

#endif
