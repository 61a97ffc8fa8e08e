/*
 * posix_spawn, because a worker has threads beside it; the output is read
 * with a deadline.
 */
#include "base/program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"

/* Reads until the end, the deadline or the buffer's maximum. */
static bool
drain(int fd, struct buf *text, int64_t deadline_ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	char bytes[4096];
	int64_t left;
	ssize_t n;

	for (;;) {
		left = deadline_ms - clock_monotonic_ms();
		if (left <= 0 || buf_err(text) != ERR_NONE)
			return false;
		if (poll(&p, 1, (int)left) < 0 && errno != EINTR)
			return false;
		if (p.revents == 0)
			continue;
		n = read(fd, bytes, sizeof(bytes));
		if (n == 0)
			return true;
		if (n < 0 && errno != EINTR && errno != EAGAIN)
			return false;
		if (n > 0)
			buf_add(text, bytes, (size_t)n);
	}
}

/* Starts argv with nothing to read, its output in *out. */
static int
start(char *const argv[], pid_t *pid, int *out)
{
	char *const environment[] = {(char[]){"LC_ALL=C.UTF-8"},
	    (char[]){"PATH=/usr/local/bin:/usr/bin:/bin"}, NULL};
	posix_spawn_file_actions_t actions;
	int ends[2], code;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return errno;
	code = posix_spawn_file_actions_init(&actions);
	if (code == 0) {
		(void)posix_spawn_file_actions_addopen(&actions, 0,
		    "/dev/null", O_RDONLY, 0);
		(void)posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
		(void)posix_spawn_file_actions_addopen(&actions, 2,
		    "/dev/null", O_WRONLY, 0);
		code = posix_spawnp(pid, argv[0], &actions, NULL, argv,
		    environment);
		(void)posix_spawn_file_actions_destroy(&actions);
	}
	(void)close(ends[1]);
	*out = ends[0];
	if (code != 0)
		(void)close(ends[0]);
	return code;
}

int
program_output(char *const argv[], int64_t limit_ms, struct buf *text)
{
	pid_t pid;
	int out = -1, status = 0;
	bool whole;

	if (start(argv, &pid, &out) != 0)
		return PROGRAM_MISSING;
	whole = drain(out, text, clock_monotonic_ms() + limit_ms);
	(void)close(out);
	if (!whole)
		(void)kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	if (!whole)
		return PROGRAM_STOPPED;
	return WIFEXITED(status) ? WEXITSTATUS(status) : PROGRAM_STOPPED;
}

bool
program_exists(const char *name)
{
	const char *path = getenv("PATH");
	char file[4096];
	struct span rest, folder;

	rest = span_of(path == NULL ? "/usr/local/bin:/usr/bin:/bin" : path);
	while (rest.len > 0) {
		folder = span_cut(&rest, ':');
		(void)snprintf(file, sizeof(file), "%.*s/%s", (int)folder.len,
		    folder.data, name);
		if (access(file, X_OK) == 0)
			return true;
	}
	return false;
}
