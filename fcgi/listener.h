/*
 * The listening socket: our own at a path or an address, or one that was
 * given to us (spawn-fcgi, lighttpd: descriptor 0; systemd: LISTEN_FDS).
 */
#ifndef PARLANCE_LISTENER_H
#define PARLANCE_LISTENER_H

#include <stdbool.h>
#include <sys/types.h>

struct listener {
	int fd;
	bool own;         /* made here: it is drained and removed at the end */
	const char *path; /* of an own Unix socket; else NULL */
	char temporary[108]; /* its name until it is published */
	dev_t dev;
	ino_t ino;        /* of that socket: another's is never removed */
	int lock_fd;      /* PATH.lock, or -1 */
	pid_t previous;   /* the process to relieve; 0: none */
};

struct listener_options {
	const char *address; /* PATH or HOST:PORT; NULL: given to us */
	const char *group;   /* of the socket's file; NULL: ours */
	bool take_over;      /* replace a running process */
};

/* False after one line of the log that says what is wrong. */
bool listener_open(struct listener *l, const struct listener_options *options);

/* Puts a Unix socket of our own to its place, once we accept; false after a
 * line of the log. */
bool listener_publish(struct listener *l);
/* Tells the process that was replaced to finish, once we accept. */
void listener_relieve(struct listener *l);
/* A socket taken over is locked by the process before us until it has
 * ended: call it now and then. */
void listener_lock_late(struct listener *l);
/* Removes our socket's name, so that nobody new comes. */
void listener_retire(struct listener *l);
void listener_close(struct listener *l);

#endif
