/*
 * Naming processes by what /proc tells of them.  Where there is no /proc the
 * parts are "-", and every process but this one is unknown.
 */
#include "base/process.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

#define PART_MAX 96

static char self_name[5 * PART_MAX];
static pthread_once_t named = PTHREAD_ONCE_INIT;

/* The first line of a file; "-" when there is none. */
static void
read_line(const char *path, char *out, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, out, size - 1);

	if (fd >= 0)
		(void)close(fd);
	if (n <= 0)
		n = snprintf(out, size, "-");
	out[n] = '\0';
	out[strcspn(out, "\n")] = '\0';
}

/* When the process was started, in ticks since the boot; 0: there is none. */
static long long
start_of(long pid)
{
	char path[64], line[1024];
	const char *at;
	int field;

	(void)snprintf(path, sizeof(path), "/proc/%ld/stat", pid);
	read_line(path, line, sizeof(line));
	at = strrchr(line, ')'); /* the name before it may hold anything */
	for (field = 2; at != NULL && field < 22; field++)
		at = strchr(at + 1, ' ');
	return at == NULL ? 0 : strtoll(at, NULL, 10);
}

/* "HOST BOOT NAMESPACE " */
static void
place(char *out, size_t size)
{
	char host[PART_MAX] = "-", boot[PART_MAX], space[PART_MAX];
	ssize_t n;

	(void)gethostname(host, sizeof(host));
	host[sizeof(host) - 1] = '\0';
	read_line("/proc/sys/kernel/random/boot_id", boot, sizeof(boot));
	n = readlink("/proc/self/ns/pid", space, sizeof(space) - 1);
	if (n <= 0)
		n = snprintf(space, sizeof(space), "-");
	space[n] = '\0';
	(void)snprintf(out, size, "%s %s %s ", host, boot, space);
}

static void
name_self(void)
{
	char where[4 * PART_MAX];
	long pid = (long)getpid();

	place(where, sizeof(where));
	(void)snprintf(self_name, sizeof(self_name), "%s%ld %lld", where, pid,
	    start_of(pid));
}

const char *
process_self(void)
{
	(void)pthread_once(&named, name_self);
	return self_name;
}

enum process_state
process_check(const char *name)
{
	struct span theirs = span_of(name), ours = span_of(process_self());
	long long pid, start;

	if (strcmp(name, process_self()) == 0)
		return PROCESS_ALIVE;
	/* The host, then the boot: another boot of this host is over. */
	if (!span_equal(span_cut(&theirs, ' '), span_cut(&ours, ' ')))
		return PROCESS_UNKNOWN;
	if (!span_equal(span_cut(&theirs, ' '), span_cut(&ours, ' ')))
		return PROCESS_DEAD;
	if (!span_equal(span_cut(&theirs, ' '), span_cut(&ours, ' ')) ||
	    theirs.data == NULL ||
	    sscanf(theirs.data, "%lld %lld", &pid, &start) != 2)
		return PROCESS_UNKNOWN;
	return start_of((long)pid) == start ? PROCESS_ALIVE : PROCESS_DEAD;
}
