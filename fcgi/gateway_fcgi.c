/*
 * libfcgi with an accept loop of our own.
 *
 * FCGX_Accept_r() would accept by itself, without a time-out and without a
 * way to stop; so it is handed a connection that was accepted already, in a
 * field its header calls private (fcgi_test.py would notice if a new version
 * broke that).  keepConnection is 1 while it reads, so that it does not close
 * what it was given, and 0 afterwards: a kept connection would pin its
 * worker.  The answer's records are written here.
 */
#include "gateway_fcgi.h"

#include <errno.h>
#include <fastcgi.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

/* More than any web server sends (nginx and Apache stop at some 100 KB). */
#define PARAMS_MAX (256U * 1024U)
#define DRAIN_MAX (1024U * 1024U)
#define RECORD_MAX 65535U

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

static const char *const *
fcgi_params(struct gateway *g)
{
	return (const char *const *)self(g)->request.envp;
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
	self(g)->input_ended = error == 0;
	if (error == EAGAIN || error == EWOULDBLOCK)
		return ERR_TIMEOUT;
	return error != 0 ? ERR_IO : ERR_NONE;
}

/* ---- records ------------------------------------------------------------ */

static char *
record_head(char *head, int request_id, int type, size_t len)
{
	head[0] = 1; /* the protocol's version */
	head[1] = (char)type;
	head[2] = (char)(request_id >> 8);
	head[3] = (char)request_id;
	head[4] = (char)(len >> 8);
	head[5] = (char)len;
	head[6] = head[7] = 0; /* no padding */
	return head;
}

/* All of it, whatever the socket takes at a time. */
static bool
send_all(int fd, struct iovec *iov, size_t n)
{
	struct msghdr message = {.msg_iov = iov, .msg_iovlen = n};
	ssize_t sent;

	while (message.msg_iovlen > 0) {
		sent = sendmsg(fd, &message, MSG_NOSIGNAL);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return false; /* also when it takes nothing */
		while (message.msg_iovlen > 0 &&
		    (size_t)sent >= message.msg_iov->iov_len) {
			sent -= (ssize_t)message.msg_iov->iov_len;
			message.msg_iov++;
			message.msg_iovlen--;
		}
		if (message.msg_iovlen == 0)
			break;
		message.msg_iov->iov_base =
		    (char *)message.msg_iov->iov_base + sent;
		message.msg_iov->iov_len -= (size_t)sent;
	}
	return true;
}

/* One piece of the answer, at most RECORD_MAX; with the last one goes the end
 * of the request, so that a short answer is one write. */
static bool
send_record(int fd, int request_id, struct span piece, bool last)
{
	char head[8], tail[24] = {0};
	struct iovec iov[3];
	size_t n = 0;

	if (piece.len > 0) {
		iov[n++] = (struct iovec){record_head(head, request_id,
		    FCGI_STDOUT, piece.len), sizeof(head)};
		iov[n++] = (struct iovec){(void *)(uintptr_t)piece.data,
		    piece.len};
	}
	if (last) {
		record_head(tail, request_id, FCGI_STDOUT, 0);
		record_head(tail + 8, request_id, FCGI_END_REQUEST, 8);
		iov[n++] = (struct iovec){tail, sizeof(tail)};
	}
	return send_all(fd, iov, n);
}

static bool
send_piece(struct gateway_fcgi *g, struct span piece, bool last)
{
	g->wrote = true;
	g->ended = last;
	if (!send_record(g->request.ipcFd, g->request.requestId, piece, last))
		g->gone = true;
	return !g->gone;
}

static enum err
fcgi_write(struct gateway *g, const char *data, size_t len)
{
	struct gateway_fcgi *f = self(g);
	size_t piece;

	while (len > 0 && !f->gone && !f->ended) {
		piece = len > RECORD_MAX ? RECORD_MAX : len;
		(void)send_piece(f, (struct span){data, piece},
		    g->last && piece == len);
		data += piece;
		len -= piece;
	}
	return f->gone || len > 0 ? ERR_CLIENT_GONE : ERR_NONE;
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

/* ---- an answer that is sent later --------------------------------------- */

struct rest {
	struct gateway_rest rest; /* first */
	int fd, request_id;
	size_t len;
	char data[];
};

/* A short answer on a connection that has taken nothing yet: its buffer has
 * room for it, whoever reads it and when. */
#define HELD_MAX RECORD_MAX

static void
send_rest(struct gateway_rest *rest, struct span instead)
{
	struct rest *r = (struct rest *)rest;

	if (instead.data == NULL)
		instead = (struct span){r->data, r->len};
	if (instead.len <= RECORD_MAX)
		(void)send_record(r->fd, r->request_id, instead, true);
	(void)close(r->fd);
	free(r);
}

static bool
fcgi_hold(struct gateway *g, const char *data, size_t len)
{
	struct gateway_fcgi *f = self(g);
	struct rest *r;

	drain(f);
	if (f->gone || f->wrote || !f->input_ended || len > HELD_MAX)
		return false;
	r = malloc(sizeof(*r) + len);
	if (r == NULL)
		return false;
	r->rest.send = send_rest;
	r->request_id = f->request.requestId;
	r->len = len;
	memcpy(r->data, data, len);
	f->rest = &r->rest;
	return true;
}

static struct gateway_rest *
fcgi_rest(struct gateway *g)
{
	struct gateway_fcgi *f = self(g);
	struct rest *r = (struct rest *)f->rest;

	f->rest = NULL;
	r->fd = f->request.ipcFd;
	f->request.ipcFd = -1;
	return &r->rest;
}

/* ---- the client --------------------------------------------------------- */

static int
fcgi_client_fd(struct gateway *g, short *events)
{
	*events = POLLIN | POLLRDHUP;
	if (!self(g)->drained)
		drain(self(g));
	/* An answer that waits may wait for long: its input's 8 KB go. */
	if (self(g)->request.in != NULL)
		FCGX_FreeStream(&self(g)->request.in);
	return self(g)->gone ? -1 : self(g)->request.ipcFd;
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
	static const struct gateway_ops ops = {fcgi_param,
	    fcgi_params, fcgi_read, fcgi_write, fcgi_client_fd,
	    fcgi_client_gone, fcgi_hold, fcgi_rest};
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
	/* Writing is done here: a record needs no 8 KB of its own, which
	 * would be a quarter of what a waiting stream holds. */
	FCGX_FreeStream(&g->request.out);
	FCGX_FreeStream(&g->request.err);
	if (acceptable(&g->request))
		return true;
	gateway_fcgi_close(g);
	return false;
}

void
gateway_fcgi_close(struct gateway_fcgi *g)
{
	if (g->request.ipcFd < 0) { /* the rest has it */
		FCGX_Free(&g->request, 0);
		return;
	}
	if (!g->ended && !g->gone)
		(void)send_piece(g, SPAN_NONE, true);
	drain(g);
	if (g->input_ended && !g->gone) {
		/* The library would wait until the peer closes, for what it
		 * may still send: it has sent all. */
		(void)close(g->request.ipcFd);
		FCGX_Free(&g->request, 0);
		return;
	}
	/* Without its input the library leaves the streams alone that are
	 * not there any more. */
	if (g->request.in != NULL)
		FCGX_FreeStream(&g->request.in);
	FCGX_Finish_r(&g->request);
}
