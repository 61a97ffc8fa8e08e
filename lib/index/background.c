/*
 * The admin command beside the running program: for parlance.cgi it is the
 * program itself.  It forks and leaves, so there is no child to reap later,
 * and the web server, which waits for the end of our output, sees none of
 * its descriptors.
 */
#include "index/background.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATH_BYTES 4096
#if defined(__GLIBC__) && defined(__GLIBC_PREREQ)
#if __GLIBC_PREREQ(2, 34)
#define HAVE_CLOSEFROM
#endif
#endif

/* parlance.cgi or parlance, where this program stands. */
static bool
find_program(char path[PATH_BYTES])
{
	static const char *const names[] = {"parlance.cgi", "parlance"};
	ssize_t n = readlink("/proc/self/exe", path, PATH_BYTES - 32);
	char *slash;
	size_t i;

	if (n <= 0)
		return false;
	path[n] = '\0';
	slash = strrchr(path, '/');
	if (slash == NULL)
		return false;
	for (i = 0; i < 2; i++) {
		(void)snprintf(slash + 1,
		    PATH_BYTES - (size_t)(slash + 1 - path), "%s", names[i]);
		if (access(path, X_OK) == 0)
			return true;
	}
	return false;
}

/* What it says goes to a file: Apache waits for the end of a CGI program's
 * standard error. */
static bool
spawn_and_wait(const char *path, char *const argv[], char *const env[],
    const char *log)
{
	posix_spawn_file_actions_t actions;
	int code, status = 0, fd;
	pid_t pid;

	if (posix_spawn_file_actions_init(&actions) != 0)
		return false;
	code = 0;
	for (fd = 0; fd < 2 && code == 0; fd++)
		code = posix_spawn_file_actions_addopen(&actions, fd,
		    "/dev/null", fd == 0 ? O_RDONLY : O_WRONLY, 0);
	if (code == 0)
		code = posix_spawn_file_actions_addopen(&actions, 2, log,
		    O_WRONLY | O_CREAT | O_APPEND, 0600);
#ifdef HAVE_CLOSEFROM
	/* Ours are closed by exec; the web server's may not be. */
	if (code == 0)
		code = posix_spawn_file_actions_addclosefrom_np(&actions, 3);
#endif
	if (code == 0)
		code = posix_spawn(&pid, path, &actions, NULL, argv, env);
	(void)posix_spawn_file_actions_destroy(&actions);
	if (code != 0)
		return false;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool
background_index(const struct config *config)
{
	char path[PATH_BYTES], conf[PATH_BYTES + 32], state[PATH_BYTES + 32];
	char log[PATH_BYTES + 32];
	char *argv[] = {(char[]){"parlance"}, (char[]){"index"},
	    (char[]){"--background"}, NULL};
	char *env[] = {conf, state, (char[]){"LC_ALL=C.UTF-8"},
	    (char[]){"PATH=/usr/local/bin:/usr/bin:/bin"}, NULL};

	if (!find_program(path))
		return false;
	(void)snprintf(conf, sizeof(conf), "PARLANCE_CONFIG=%s",
	    config->path);
	(void)snprintf(state, sizeof(state), "PARLANCE_STATE=%s",
	    config->server.state);
	(void)snprintf(log, sizeof(log), "%s/index.log", config->server.state);
	return spawn_and_wait(path, argv, env, log);
}
