/*
 * Where this machine says that the FastCGI socket is: the command lines of
 * running parlance.fcgi processes, systemd's socket units, and the files of
 * the web servers.
 */
#ifndef PARLANCE_PLACES_H
#define PARLANCE_PLACES_H

#include "app/machine.h"

#define PLACES_MOST 64

enum place_source {
	PLACE_PROCESS,
	PLACE_UNIT,
	PLACE_LIGHTTPD,
	PLACE_NGINX,
	PLACE_APACHE
};

struct place {
	enum place_source source;
	const char *address;  /* "/PATH", "HOST:PORT" or "PORT" (a unit's) */
	const char *where;    /* "process 12", "FILE, line 3" */
	pid_t pid;            /* parlance.fcgi, or the web server; 0: none */
	bool ours;            /* a process: it reads our configuration; a
				 unit: it begins with the machine */
	bool foreign;         /* a process: it reads another one */
	bool named;           /* a server's line: it says "parlance" */
};

struct places {
	struct place all[PLACES_MOST];
	size_t n;
	struct processes processes;
	bool hidden;          /* a process's socket could not be seen */
};

/* config: the path of the configuration that is examined.  Everything lives
 * in the arena. */
void places_find(struct places *p, struct arena *a, const char *config);

/* "lighttpd" and so on. */
const char *place_server(enum place_source source);

#endif
