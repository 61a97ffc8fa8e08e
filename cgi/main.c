/*
 * parlance.cgi: one request over the environment and stdin/stdout, then
 * exit.  Run from a shell (GATEWAY_INTERFACE is not set) it is the admin
 * command.
 *
 * A web server tells that the client has left in three ways: SIGTERM
 * (followed by SIGKILL three seconds later under Apache), an error or hangup
 * on descriptor 1, or EPIPE.  The handler of SIGTERM puts a pipe that nobody
 * reads in the place of descriptor 1, so that all three are one: there is no
 * moment at which a signal could be missed.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/admin.h"
#include "app/app.h"
#include "app/load_config.h"
#include "base/text.h"
#include "http/gateway.h"
#include "store/db.h"

#define READ_TIMEOUT_MS 60000
#define WRITE_TIMEOUT_MS 60000
/* A pipe that poll(2) calls writable takes this much without blocking. */
#define WRITE_PIECE 4096U
/* Unread input is taken off the server before the end, up to this. */
#define DRAIN_MAX (64U * 1024U * 1024U)
#define DRAIN_WAIT_MS 1000

struct gateway_cgi {
	struct gateway gateway;
	size_t body_read;
	bool body_ended;
};

static struct gateway_cgi *
self(struct gateway *g)
{
	return (struct gateway_cgi *)(void *)g;
}

static const char *
cgi_param(struct gateway *g, const char *name)
{
	(void)g;
	return getenv(name);
}

static const char *const *
cgi_params(struct gateway *g)
{
	(void)g;
	return (const char *const *)environ;
}

static bool
cgi_client_gone(struct gateway *g)
{
	struct pollfd out = {.fd = STDOUT_FILENO};

	(void)g;
	return poll(&out, 1, 0) > 0 &&
	    (out.revents & (POLLERR | POLLHUP | POLLNVAL)) != 0;
}

/* Waits until fd is ready; ERR_TIMEOUT, or ERR_CLIENT_GONE. */
static enum err
wait_ready(struct gateway *g, int fd, short events, int timeout_ms)
{
	struct pollfd p = {.fd = fd, .events = events};
	int n;

	do {
		n = poll(&p, 1, timeout_ms);
	} while (n < 0 && errno == EINTR && !cgi_client_gone(g));
	if (n == 0)
		return ERR_TIMEOUT;
	return n < 0 ? ERR_CLIENT_GONE : ERR_NONE;
}

static enum err
cgi_read(struct gateway *g, char *data, size_t len, size_t *got)
{
	enum err err = wait_ready(g, STDIN_FILENO, POLLIN, READ_TIMEOUT_MS);
	ssize_t n;

	*got = 0;
	if (err != ERR_NONE)
		return err;
	n = read(STDIN_FILENO, data, len);
	if (n < 0)
		return ERR_IO;
	*got = (size_t)n;
	self(g)->body_read += *got;
	self(g)->body_ended = n == 0;
	return ERR_NONE;
}

/* A program that ends without having read its body makes Apache and fcgiwrap
 * fail on writing it, and they drop the answer for that. */
static void
drain(struct gateway_cgi *g)
{
	struct span length = span_of(getenv("CONTENT_LENGTH"));
	int64_t announced = 0;
	char waste[16384];
	size_t got = 1;

	if (length.len > 0)
		(void)text_to_int64(length, 0, INT64_MAX, &announced);
	else if (getenv("HTTP_TRANSFER_ENCODING") != NULL)
		announced = INT64_MAX;
	while (!g->body_ended && got > 0 && g->body_read < DRAIN_MAX &&
	    (int64_t)g->body_read < announced &&
	    wait_ready(&g->gateway, STDIN_FILENO, POLLIN, DRAIN_WAIT_MS) ==
	    ERR_NONE)
		if (cgi_read(&g->gateway, waste, sizeof(waste), &got) !=
		    ERR_NONE)
			break;
}

static enum err
cgi_write(struct gateway *g, const char *data, size_t len)
{
	size_t piece;
	ssize_t n;

	while (len > 0) {
		if (wait_ready(g, STDOUT_FILENO, POLLOUT, WRITE_TIMEOUT_MS) !=
		    ERR_NONE)
			return ERR_CLIENT_GONE;
		piece = len < WRITE_PIECE ? len : WRITE_PIECE;
		n = write(STDOUT_FILENO, data, piece);
		if (n < 0 && errno != EINTR && errno != EAGAIN)
			return ERR_CLIENT_GONE;
		if (n > 0) {
			data += n;
			len -= (size_t)n;
		}
	}
	return ERR_NONE;
}

static int
cgi_client_fd(struct gateway *g, short *events)
{
	(void)g;
	*events = 0; /* errors and hangups are always told */
	return STDOUT_FILENO;
}

static void
terminated(int sig)
{
	int saved = errno, ends[2];

	(void)sig;
	if (pipe(ends) == 0) {
		(void)close(ends[0]);
		(void)dup2(ends[1], STDOUT_FILENO);
		(void)close(ends[1]);
	}
	errno = saved;
}

static void
set_signals(void)
{
	struct sigaction action = {.sa_handler = terminated};

	(void)sigemptyset(&action.sa_mask);
	(void)sigaction(SIGTERM, &action, NULL);
	action.sa_handler = SIG_IGN;
	(void)sigaction(SIGPIPE, &action, NULL);
}

int
main(int argc, char **argv)
{
	static const struct gateway_ops ops = {.param = cgi_param,
	    .params = cgi_params,
	    .read = cgi_read,
	    .write = cgi_write,
	    .client_fd = cgi_client_fd,
	    .client_gone = cgi_client_gone};
	struct gateway_cgi g = {.gateway = {.ops = &ops, .cgi = true}};
	const char *name;
	static struct app *app;

	if (getenv("GATEWAY_INTERFACE") == NULL)
		return admin_main(argc, argv);
	name = argc > 0 ? strrchr(argv[0], '/') : NULL;
	g.gateway.nph = name != NULL && strncmp(name, "/nph-", 5) == 0;
	set_signals();
	db_single_thread();
	app = app_new(load_config(), 1);
	if (app == NULL)
		return EXIT_FAILURE;
	app_serve(app, NULL, &g.gateway);
	drain(&g);
	app_leave(app);
	return EXIT_SUCCESS;
}
