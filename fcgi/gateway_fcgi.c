/*
 * libfcgi with an accept loop of our own.
 *
 * FCGX_Accept_r() would accept by itself, without a time-out and without a
 * way to stop; so it is handed a connection that was accepted already, in a
 * field its header calls private (fcgi_test.py would notice if a new version
 * broke that).  keepConnection is 1 while it reads, so that it does not close
 * what it was given, and 0 afterwards: a kept connection would pin its
 * worker.
 */
#include "gateway_fcgi.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* More than any web server sends (nginx and Apache stop at some 100 KB). */
#define PARAMS_MAX (256U * 1024U)
#define DRAIN_MAX (1024U * 1024U)

static struct gateway_fcgi *
self(struct gateway *g)
{
	return (struct gateway_fcgi *)(void *)g;
}

static const char *
fcgi_param(struct gateway *g, const char *name)
{
	return FCGX_GetParam(name, self(g)->request.envp);
}

static enum err
fcgi_read(struct gateway *g, char *data, size_t len, size_t *got)
{
	FCGX_Stream *in = self(g)->request.in;
	int n, error;

	*got = 0;
	if (in == NULL)
		return ERR_NONE; /* all of it was read */
	n = FCGX_GetStr(data, len > 65536 ? 65536 : (int)len, in);
	error = FCGX_GetError(in);
	*got = n > 0 ? (size_t)n : 0;
	if (*got > 0)
		return ERR_NONE;
	self(g)->drained = true;
	if (error == EAGAIN || error == EWOULDBLOCK)
		return ERR_TIMEOUT;
	return error != 0 ? ERR_IO : ERR_NONE;
}

static enum err
fcgi_write(struct gateway *g, const char *data, size_t len)
{
	FCGX_Stream *out = self(g)->request.out;

	if (self(g)->gone)
		return ERR_CLIENT_GONE;
	/* The library tells of a failed flush only once, and its PutStr
	 * goes on as if nothing had happened: ask after every flush. */
	while (len > 0) {
		int piece = len > 65536 ? 65536 : (int)len;

		(void)FCGX_PutStr(data, piece, out);
		data += piece;
		len -= (size_t)piece;
		(void)FCGX_FFlush(out);
		if (FCGX_GetError(out) != 0) {
			self(g)->gone = true;
			return ERR_CLIENT_GONE;
		}
	}
	return ERR_NONE;
}

/* Reads what is left of the body, so that a readable connection means that
 * the peer has closed it or aborts the request. */
static void
drain(struct gateway_fcgi *g)
{
	char waste[512];
	size_t total = 0, got = 1;

	while (!g->drained && got > 0 && total < DRAIN_MAX) {
		if (fcgi_read(&g->gateway, waste, sizeof(waste), &got) !=
		    ERR_NONE)
			g->gone = true;
		total += got;
	}
	if (!g->drained)
		g->gone = true;
	g->drained = true;
}

static int
fcgi_client_fd(struct gateway *g, short *events)
{
	*events = POLLIN | POLLRDHUP;
	if (!self(g)->drained)
		drain(self(g));
	/* An answer that waits may wait for long: its input's 8 KB go. */
	if (self(g)->request.in != NULL)
		FCGX_FreeStream(&self(g)->request.in);
	return self(g)->request.ipcFd;
}

static bool
fcgi_client_gone(struct gateway *g)
{
	struct pollfd p = {.fd = self(g)->request.ipcFd,
	    .events = POLLIN | POLLRDHUP};

	if (!self(g)->drained)
		drain(self(g));
	if (!self(g)->gone && poll(&p, 1, 0) > 0)
		self(g)->gone = true;
	return self(g)->gone;
}

static bool
acceptable(const FCGX_Request *request)
{
	const char *role = FCGX_GetParam("FCGI_ROLE", request->envp);
	size_t total = 0;
	char **p;

	for (p = request->envp; *p != NULL; p++)
		total += strlen(*p);
	return total <= PARAMS_MAX && role != NULL &&
	    strcmp(role, "RESPONDER") == 0;
}

bool
gateway_fcgi_open(struct gateway_fcgi *g, int fd)
{
	static const struct gateway_ops ops = {fcgi_param, fcgi_read,
	    fcgi_write, fcgi_client_fd, fcgi_client_gone};
	struct timeval limit = {.tv_sec = GATEWAY_FCGI_TIMEOUT_S};

	memset(g, 0, sizeof(*g));
	g->gateway.ops = &ops;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit,
		sizeof(limit)) != 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit,
		sizeof(limit)) != 0 ||
	    FCGX_InitRequest(&g->request, -1, 0) != 0) {
		(void)close(fd);
		return false;
	}
	g->request.ipcFd = fd;
	g->request.keepConnection = 1;
	if (FCGX_Accept_r(&g->request) != 0)
		return false; /* it has closed the connection */
	g->request.keepConnection = 0;
	if (acceptable(&g->request))
		return true;
	gateway_fcgi_close(g);
	return false;
}

void
gateway_fcgi_close(struct gateway_fcgi *g)
{
	/* Without its input the library would forget to end the output. */
	if (g->request.in == NULL) {
		(void)FCGX_FClose(g->request.err);
		(void)FCGX_FClose(g->request.out);
	}
	FCGX_Finish_r(&g->request);
}
