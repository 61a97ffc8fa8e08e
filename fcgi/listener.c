/*
 * Listening sockets.
 *
 * A Unix socket of our own is bound under a temporary name and renamed to
 * its place when workers accept there, so that at every moment somebody
 * does: that is how one process relieves another without losing a request.
 * PATH.lock is held by the process that serves PATH and names it.
 */
#include "listener.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"

#define BACKLOG 4096 /* the kernel cuts it to net.core.somaxconn */
#define SYSTEMD_FD 3

/* ---- given to us -------------------------------------------------------- */

static bool
listens(int fd)
{
	socklen_t len = sizeof(int);
	int on = 0;

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &on, &len) == 0 &&
	    on != 0;
}

static int64_t
environment_number(const char *name)
{
	int64_t number = 0;

	(void)text_to_int64(span_of(getenv(name)), 0, INT32_MAX, &number);
	return number;
}

static bool
open_given(struct listener *l)
{
	l->fd = STDIN_FILENO;
	if (environment_number("LISTEN_PID") == getpid() &&
	    environment_number("LISTEN_FDS") >= 1)
		l->fd = SYSTEMD_FD;
	(void)unsetenv("LISTEN_PID");
	(void)unsetenv("LISTEN_FDS");
	if (listens(l->fd)) {
		(void)fcntl(l->fd, F_SETFD, FD_CLOEXEC);
		return true;
	}
	log_error("descriptor %d is not a listening socket; name one with "
		  "--socket PATH or --socket HOST:PORT", l->fd);
	return false;
}

/* ---- at an address ------------------------------------------------------ */

static bool
is_loopback(const struct sockaddr *a)
{
	if (a->sa_family == AF_INET)
		return ntohl(((const struct sockaddr_in *)(const void *)a)
				 ->sin_addr.s_addr) >> 24 == 127;
	return a->sa_family == AF_INET6 &&
	    IN6_IS_ADDR_LOOPBACK(
		&((const struct sockaddr_in6 *)(const void *)a)->sin6_addr);
}

static bool
bind_address(struct listener *l, const char *address,
    const struct addrinfo *info)
{
	int on = 1;

	if (!is_loopback(info->ai_addr)) {
		log_error("%s: whoever reaches this socket is trusted; only "
			  "addresses of this machine are served (127.0.0.1)",
		    address);
		return false;
	}
	l->fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (l->fd >= 0 &&
	    setsockopt(l->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ==
	    0 && bind(l->fd, info->ai_addr, info->ai_addrlen) == 0 &&
	    listen(l->fd, BACKLOG) == 0)
		return true;
	log_error("%s: cannot listen: %s", address, strerror(errno));
	return false;
}

static bool
open_address(struct listener *l, const char *address)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
	    .ai_flags = AI_NUMERICSERV};
	struct addrinfo *info = NULL;
	const char *colon = strrchr(address, ':');
	struct span host = {address, (size_t)(colon - address)};
	char name[256];
	int failed;
	bool ok;

	if (host.len > 1 && host.data[0] == '[' &&
	    host.data[host.len - 1] == ']') {
		host.data++;
		host.len -= 2;
	}
	(void)snprintf(name, sizeof(name), "%.*s", (int)host.len, host.data);
	failed = getaddrinfo(name, colon + 1, &hints, &info);
	if (failed != 0) {
		log_error("%s: %s", address, gai_strerror(failed));
		return false;
	}
	ok = bind_address(l, address, info);
	freeaddrinfo(info);
	return ok;
}

/* ---- at a path ---------------------------------------------------------- */

static bool
set_address(struct sockaddr_un *sun, const char *path)
{
	*sun = (struct sockaddr_un){.sun_family = AF_UNIX};
	return (size_t)snprintf(sun->sun_path, sizeof(sun->sun_path), "%s",
		   path) < sizeof(sun->sun_path);
}

/* Does anything answer there? */
static bool
is_served(const struct sockaddr_un *sun)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool served = fd >= 0 && connect(fd,
	    (const struct sockaddr *)(const void *)sun, sizeof(*sun)) == 0;

	if (fd >= 0)
		(void)close(fd);
	return served;
}

/* May what is at the path be replaced? */
static bool
may_replace(const struct listener *l, const struct sockaddr_un *sun)
{
	struct stat st;

	if (lstat(l->path, &st) != 0)
		return true;
	if (!S_ISSOCK(st.st_mode)) {
		log_error("%s is there and is not a socket; choose another "
			  "path or remove it", l->path);
		return false;
	}
	if (l->previous == 0 && is_served(sun)) {
		log_error("%s is served by another program", l->path);
		return false;
	}
	return true;
}

static void
write_pid(int fd)
{
	char text[24];
	int n = snprintf(text, sizeof(text), "%d\n", (int)getpid());

	if (ftruncate(fd, 0) != 0 || pwrite(fd, text, (size_t)n, 0) != n)
		log_error("cannot write the lock file: %s", strerror(errno));
}

static pid_t
read_pid(int fd)
{
	char text[24];
	ssize_t n = pread(fd, text, sizeof(text), 0);
	int64_t pid = 0;

	if (n > 0)
		(void)text_to_int64(span_trim((struct span){text,
		    (size_t)n}), 2, INT32_MAX, &pid);
	return (pid_t)pid;
}

/* Gets the lock, or finds out whom to relieve. */
static bool
lock_path(struct listener *l, bool take_over)
{
	char name[sizeof(((struct sockaddr_un *)NULL)->sun_path) + 8];

	(void)snprintf(name, sizeof(name), "%s.lock", l->path);
	l->lock_fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (l->lock_fd < 0) {
		log_error("%s: %s; the folder must exist and be writable",
		    name, strerror(errno));
		return false;
	}
	if (flock(l->lock_fd, LOCK_EX | LOCK_NB) == 0) {
		write_pid(l->lock_fd);
		return true;
	}
	l->previous = read_pid(l->lock_fd);
	if (take_over && l->previous > 0)
		return true;
	log_error("%s is served by process %d; stop it, or relieve it "
		  "without losing a request by --take-over", l->path,
	    (int)l->previous);
	return false;
}

static bool
set_group(const char *path, const char *group)
{
	struct group *entry;
	int64_t number;
	gid_t gid;

	if (group == NULL)
		return true;
	entry = getgrnam(group);
	if (entry != NULL) {
		gid = entry->gr_gid;
	} else if (text_to_int64(span_of(group), 0, INT32_MAX, &number)) {
		gid = (gid_t)number;
	} else {
		log_error("there is no group %s", group);
		return false;
	}
	if (chown(path, (uid_t)-1, gid) == 0)
		return true;
	log_error("%s: cannot give it to the group %s: %s", path, group,
	    strerror(errno));
	return false;
}

static bool
bind_path(struct listener *l, const char *group)
{
	struct sockaddr_un sun;
	struct stat st;
	mode_t mask;
	int bound;

	if ((size_t)snprintf(l->temporary, sizeof(l->temporary), "%s.%d",
		l->path, (int)getpid()) >= sizeof(l->temporary) ||
	    !set_address(&sun, l->temporary)) {
		log_error("%s: too long for a socket's path", l->path);
		return false;
	}
	l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	mask = umask(0117);
	bound = l->fd < 0 ? -1 : bind(l->fd,
	    (const struct sockaddr *)(const void *)&sun, sizeof(sun));
	(void)umask(mask);
	if (bound != 0 || listen(l->fd, BACKLOG) != 0 ||
	    stat(l->temporary, &st) != 0) {
		log_error("%s: cannot listen: %s", l->temporary,
		    strerror(errno));
		return false;
	}
	l->dev = st.st_dev;
	l->ino = st.st_ino;
	return set_group(l->temporary, group);
}

static bool
open_path(struct listener *l, const struct listener_options *options)
{
	struct sockaddr_un sun;

	l->path = options->address;
	if (!set_address(&sun, l->path)) {
		log_error("%s: too long for a socket's path", l->path);
		return false;
	}
	return lock_path(l, options->take_over) && may_replace(l, &sun) &&
	    bind_path(l, options->group);
}

bool
listener_open(struct listener *l, const struct listener_options *options)
{
	const char *address = options->address;
	bool ok;

	*l = (struct listener){.fd = -1, .lock_fd = -1};
	if (address == NULL) {
		ok = open_given(l);
	} else {
		l->own = true;
		ok = strchr(address, '/') == NULL &&
		    strchr(address, ':') != NULL
		    ? open_address(l, address)
		    : open_path(l, options);
	}
	if (ok && fcntl(l->fd, F_SETFL, O_NONBLOCK) == 0)
		return true;
	listener_close(l);
	return false;
}

bool
listener_publish(struct listener *l)
{
	if (l->path == NULL || l->ino == 0)
		return true;
	if (rename(l->temporary, l->path) == 0) {
		l->temporary[0] = '\0';
		return true;
	}
	log_error("%s: cannot put the socket there: %s", l->path,
	    strerror(errno));
	return false;
}

void
listener_relieve(struct listener *l)
{
	if (l->previous > 0 && kill(l->previous, SIGTERM) != 0)
		log_error("cannot signal process %d: %s",
		    (int)l->previous, strerror(errno));
}

void
listener_lock_late(struct listener *l)
{
	if (l->previous == 0 || flock(l->lock_fd, LOCK_EX | LOCK_NB) != 0)
		return;
	l->previous = 0;
	write_pid(l->lock_fd);
}

void
listener_retire(struct listener *l)
{
	struct stat st;

	if (l->path == NULL || l->ino == 0 || lstat(l->path, &st) != 0 ||
	    st.st_dev != l->dev || st.st_ino != l->ino)
		return;
	(void)unlink(l->path);
}

void
listener_close(struct listener *l)
{
	if (l->ino != 0 && l->temporary[0] != '\0')
		(void)unlink(l->temporary);
	if (l->fd >= 0)
		(void)close(l->fd);
	if (l->lock_fd >= 0)
		(void)close(l->lock_fd);
	l->fd = l->lock_fd = -1;
}
