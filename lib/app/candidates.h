/*
 * Where this machine says that the FastCGI socket is: the command lines of
 * running parlance.fcgi processes, systemd's socket units, and the files of
 * the web servers.
 */
#ifndef PARLANCE_CANDIDATES_H
#define PARLANCE_CANDIDATES_H

#include "app/machine.h"

#define CANDIDATES_MAX 64

enum candidate_source {
	CANDIDATE_PROCESS,
	CANDIDATE_UNIT,
	CANDIDATE_LIGHTTPD,
	CANDIDATE_NGINX,
	CANDIDATE_APACHE
};

struct candidate {
	enum candidate_source source;
	const char *address;  /* "/PATH", "HOST:PORT" or "PORT" (a unit's) */
	const char *where;    /* "process 12", "FILE, line 3" */
	pid_t pid;            /* parlance.fcgi, or the web server; 0: none */
	bool ours;            /* a process: it reads our configuration; a
				 unit: it begins with the machine */
	bool foreign;         /* a process: it reads another one */
	bool named;           /* a server's line: it says "parlance" */
};

struct candidates {
	struct candidate all[CANDIDATES_MAX];
	size_t n;
	struct processes processes;
	bool hidden;          /* a process's socket could not be seen */
};

/* config: the path of the configuration that is examined.  Everything lives
 * in the arena. */
void candidates_find(struct candidates *p, struct arena *a, const char *config);

/* "lighttpd" and so on. */
const char *candidate_server(enum candidate_source source);

#endif
