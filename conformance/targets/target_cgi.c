/*
 * A CGI program, one process a request, as a web server would run it.  It
 * gets our environment without the key and with the CGI variables.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "match/mem.h"
#include "target.h"

extern char **environ;

#define ERRORS_KEPT 2000

struct child {
	pid_t pid;
	int in, out, err; /* our ends; -1 when closed */
	struct growing output;
	struct buf errors; /* the start of its standard error */
	size_t sent;
	const char *failure;
};

static const char *
cgi_open(struct arena *a, struct target *target)
{
	char *path;

	if (access(target->rest, X_OK) != 0)
		return mem_printf(a, "%s: %s", target->rest,
		    strerror(errno));
	path = realpath(target->rest, NULL);
	if (path != NULL)
		target->rest = mem_strdup(a, path);
	free(path);
	return NULL;
}

static void
cgi_close(struct target *target)
{
	(void)target;
}

static void *
cgi_connect(struct target *target)
{
	return target;
}

static void
cgi_disconnect(void *connection)
{
	(void)connection;
}

/* Our environment, without what a web server would not pass on. */
static char **
environment(struct arena *a, const struct wire_request *request,
    const char *program)
{
	size_t i, n = 0, own, count = 0;
	char **variables = cgi_variables(a, request, program, &own), **out;

	while (environ[count] != NULL)
		count++;
	out = mem_array(a, count + own + 1, sizeof(*out));
	for (i = 0; i < count; i++)
		if (strncmp(environ[i], "CHATCONF_", 9) != 0 &&
		    strncmp(environ[i], "HTTP_", 5) != 0 &&
		    strncmp(environ[i], "http_proxy", 10) != 0)
			out[n++] = environ[i];
	for (i = 0; i < own; i++)
		out[n++] = variables[i];
	return out;
}

static void
close_end(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* Three pipes; fds[i][0] is read, fds[i][1] written. */
static bool
open_pipes(int fds[3][2])
{
	int i;

	for (i = 0; i < 3; i++)
		fds[i][0] = fds[i][1] = -1;
	for (i = 0; i < 3; i++)
		if (pipe2(fds[i], O_CLOEXEC) != 0)
			return false;
	return true;
}

static int
spawn(struct child *child, const char *program, char **env, int fds[3][2])
{
	char *argv[] = {(char *)(uintptr_t)program, NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	int rc;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, fds[0][0], 0);
	posix_spawn_file_actions_adddup2(&actions, fds[1][1], 1);
	posix_spawn_file_actions_adddup2(&actions, fds[2][1], 2);
	spawn_attributes(&attr, POSIX_SPAWN_SETPGROUP);
	/* A group of its own, so that its children can be ended with it. */
	posix_spawnattr_setpgroup(&attr, 0);
	rc = posix_spawn(&child->pid, program, &actions, &attr, argv, env);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&actions);
	return rc;
}

static bool
start(struct arena *a, struct child *child, const char *program, char **env)
{
	int fds[3][2], rc = -1;

	if (open_pipes(fds))
		rc = spawn(child, program, env, fds);
	else
		child->failure = "no more pipes";
	close_end(&fds[0][0]);
	close_end(&fds[1][1]);
	close_end(&fds[2][1]);
	child->in = fds[0][1];
	child->out = fds[1][0];
	child->err = fds[2][0];
	if (rc == 0)
		fcntl(child->in, F_SETFL, O_NONBLOCK);
	if (rc > 0)
		child->failure = mem_printf(a, "%s: %s", program,
		    strerror(rc));
	return rc == 0;
}

static void
write_some(struct child *child, struct span body)
{
	ssize_t n = 0;

	if (child->sent < body.len)
		n = write(child->in, body.data + child->sent,
		    body.len - child->sent);
	if (n > 0)
		child->sent += (size_t)n;
	/* A program that does not read its input is free not to. */
	if ((n < 0 && errno != EAGAIN && errno != EINTR) ||
	    child->sent >= body.len)
		close_end(&child->in);
}

static void
read_output(struct child *child)
{
	char data[65536];
	ssize_t n = read(child->out, data, sizeof(data));

	if (n < 0 && errno == EINTR)
		return;
	if (n <= 0)
		close_end(&child->out);
	else if (!growing_add(&child->output, data, (size_t)n))
		child->failure = "a reply of more than 64 MB";
}

static void
read_errors(struct child *child, bool noisy)
{
	char data[4096];
	ssize_t n = read(child->err, data, sizeof(data));

	if (n < 0 && errno == EINTR)
		return;
	if (n <= 0) {
		close_end(&child->err);
		return;
	}
	if (child->errors.len < ERRORS_KEPT)
		buf_add(&child->errors, data,
		    (size_t)n > ERRORS_KEPT - child->errors.len
			? ERRORS_KEPT - child->errors.len
			: (size_t)n);
	if (noisy)
		(void)!write(2, data, (size_t)n);
}

/* Until the output ends; a descendant may hold standard error open. */
static void
converse(struct child *child, struct span body, const struct target *target)
{
	int64_t end = clock_monotonic_ms() + target->timeout_ms, left;
	struct pollfd fds[3];

	while (child->out >= 0 && child->failure == NULL) {
		left = end - clock_monotonic_ms();
		if (left <= 0) {
			child->failure = "the reply did not end in time";
			return;
		}
		fds[0] = (struct pollfd){child->out, POLLIN, 0};
		fds[1] = (struct pollfd){child->err, POLLIN, 0};
		fds[2] = (struct pollfd){child->in, POLLOUT, 0};
		if (poll(fds, 3, (int)left) < 0 && errno != EINTR) {
			child->failure = strerror(errno);
			return;
		}
		if (fds[2].revents != 0)
			write_some(child, body);
		if (fds[1].revents != 0)
			read_errors(child, target->noisy);
		if (fds[0].revents != 0)
			read_output(child);
	}
}

/* Waits for its end, which a finished answer must not delay for long. */
static void
reap(struct arena *a, struct child *child, const struct target *target)
{
	int status = 0, i;

	if (child->failure != NULL)
		kill(-child->pid, SIGKILL);
	for (i = 0; waitpid(child->pid, &status, WNOHANG) == 0; i++) {
		if (i >= target->timeout_ms) {
			kill(-child->pid, SIGKILL);
			child->failure =
			    "the program did not end after its answer";
		}
		usleep(i < 50 ? 100 : 1000);
	}
	if (child->failure == NULL && WIFSIGNALED(status))
		child->failure = mem_printf(a,
		    "the program was ended by signal %d (%s)",
		    WTERMSIG(status), strsignal(WTERMSIG(status)));
}

static void
explain(struct arena *a, struct child *child, struct reply *reply)
{
	struct span errors = {buf_text(&child->errors), child->errors.len};

	errors = span_trim(errors);
	reply->failure = child->failure;
	if (errors.len == 0)
		return;
	if (reply->failure != NULL)
		reply->failure = mem_printf(a, "%s; standard error: %.*s",
		    reply->failure, (int)errors.len, errors.data);
	else if (reply->header_fault != NULL)
		reply->header_fault = mem_printf(a,
		    "%s; standard error: %.*s", reply->header_fault,
		    (int)errors.len, errors.data);
}

static void
cgi_send(struct arena *a, struct target *target, void *connection,
    const struct wire_request *request, struct reply *reply)
{
	struct child child = {.in = -1, .out = -1, .err = -1};
	char **env = environment(a, request, target->rest);

	(void)connection;
	buf_init(&child.errors, ERRORS_KEPT);
	growing_init(&child.output, a, request);
	if (start(a, &child, target->rest, env)) {
		converse(&child, request->body, target);
		if (child.err >= 0)
			fcntl(child.err, F_SETFL, O_NONBLOCK);
		if (child.err >= 0)
			read_errors(&child, target->noisy);
		growing_end(&child.output, reply);
		reap(a, &child, target);
		reply_from_cgi(a, reply->body, reply);
	} else {
		reply->unreachable = true;
		growing_end(&child.output, reply);
	}
	close_end(&child.in);
	close_end(&child.out);
	close_end(&child.err);
	explain(a, &child, reply);
	if (strcmp(request->method, "HEAD") == 0)
		reply->body.len = 0; /* a web server does not send it */
	buf_release(&child.errors);
}

/* The variables as words for env(1); the key's header is left to a shell
 * variable. */
static char *
cgi_again(struct arena *a, const struct target *target,
    const struct wire_request *request)
{
	struct buf b = BUF_INIT(MEM_TEXT_MAX);
	size_t i, count;
	char **variables = cgi_variables(a, request, target->rest, &count);

	if (request->body.data != NULL)
		buf_printf(&b, "%s | ", shell_print(a, request->body));
	buf_adds(&b, "env");
	for (i = 0; i < count; i++)
		buf_printf(&b, " %s", shell_quote(a, span_of(variables[i])));
	buf_printf(&b, " %s", shell_quote(a, span_of(target->rest)));
	if (request->body.data == NULL)
		buf_adds(&b, " </dev/null");
	return (char *)(uintptr_t)mem_take(a, &b).data;
}

const struct target_kind target_cgi = {"cgi:", cgi_open, cgi_close,
    cgi_connect, cgi_disconnect, cgi_send, cgi_again};
