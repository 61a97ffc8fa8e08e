/*
 * What anybody may see of this machine's processes and listening sockets, in
 * /proc.  Where it is hidden, things look absent.
 */
#ifndef PARLANCE_MACHINE_H
#define PARLANCE_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/text.h"

#define WHO_GROUPS 64

/* As whom a process acts. */
struct who {
	uid_t uid;
	gid_t gid;
	gid_t groups[WHO_GROUPS];
	size_t n_groups;
};

struct process {
	pid_t pid, parent;
	const char *name;  /* at most 15 bytes of it */
	char **arguments;  /* NULL-terminated; of nginx, cut at spaces too */
	struct who who;
};

struct processes {
	struct process *all;
	size_t n;
};

/* The path of an executable beside this one, in the arena, or NULL. */
const char *machine_beside(struct arena *a, const char *name);

/* A file's bytes, at most 1 MB of them, NUL-terminated, in the arena; NULL:
 * it cannot be read. */
char *machine_read(struct arena *a, const char *path, size_t *len);

/* Every process but kernel threads. */
void machine_processes(struct arena *a, struct processes *out);
/* NULL: no such process. */
const struct process *machine_process(const struct processes *all, pid_t pid);

/* May he do what mode says (bits of 07: 4 read, 2 write, 1 enter) by what
 * the file's owner, group and mode allow?  Lists of access (ACLs) are not
 * looked at. */
bool who_may(const struct who *who, const struct stat *st, unsigned mode);

/* Does a Unix socket that was bound to path listen?  One of ours is bound as
 * PATH.PID and then renamed.  *known: false when it cannot be seen. */
bool machine_unix_listens(struct arena *a, const char *path, bool *known);
/* The path of the Unix socket, or the HOST:PORT of the TCP socket, with this
 * inode number in /proc; NULL: there is none. */
const char *machine_socket_address(struct arena *a, struct span inode);
/* Who listens at a TCP port: on any address at all; beyond this machine. */
void machine_tcp_listens(struct arena *a, int port, bool *listens,
    bool *open);

#endif
