/*
 * FastCGI, spoken by ourselves: one connection and one request each, as
 * lighttpd and Apache do it.  `fcgi:` takes a socket, HOST:PORT, or a program,
 * which is started on a private socket (its descriptor 0, as spawn-fcgi gives
 * it) and stopped at the end.
 */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "match/mem.h"
#include "target.h"

extern char **environ;

#define ERRORS_KEPT 2000
#define STOP_MS 5000

enum record_type {
	BEGIN_REQUEST = 1,
	END_REQUEST = 3,
	PARAMS = 4,
	STDIN = 5,
	STDOUT = 6,
	STDERR = 7
};

struct fcgi {
	union {
		struct sockaddr any;
		struct sockaddr_un un;
		struct sockaddr_storage storage;
	} address;
	socklen_t address_len;
	int family;
	pid_t pid; /* of a program we started, else 0 */
	char *folder;  /* of its socket */
	char *failure; /* it did not start: why */
};

/* ---- the address -------------------------------------------------------- */

static const char *
use_path(struct fcgi *f, const char *path)
{
	if (strlen(path) >= sizeof(f->address.un.sun_path))
		return "the path of the socket is too long";
	f->family = AF_UNIX;
	f->address.un.sun_family = AF_UNIX;
	memcpy(f->address.un.sun_path, path, strlen(path) + 1);
	f->address_len = sizeof(f->address.un);
	return NULL;
}

static const char *
use_host(struct arena *a, struct fcgi *f, const char *spec)
{
	const char *colon = strrchr(spec, ':');
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found;
	char *host;
	int rc;

	if (colon == NULL || colon[1] == '\0')
		return mem_printf(a, "%s is no socket, program or HOST:PORT",
		    spec);
	host = must(arena_strndup(a, spec, (size_t)(colon - spec)));
	rc = getaddrinfo(*host == '\0' ? "127.0.0.1" : host, colon + 1,
	    &hints, &found);
	if (rc != 0)
		return mem_printf(a, "%s: %s", spec, gai_strerror(rc));
	f->family = found->ai_family;
	f->address_len = found->ai_addrlen;
	memcpy(&f->address.storage, found->ai_addr, found->ai_addrlen);
	freeaddrinfo(found);
	return NULL;
}

/* ---- a program of our own ----------------------------------------------- */

static int
listening(struct fcgi *f)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 &&
	    (bind(fd, &f->address.any, f->address_len) != 0 ||
		listen(fd, 511) != 0)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static int
spawn_on(struct fcgi *f, const char *program, int fd, bool noisy)
{
	char *argv[] = {(char *)(uintptr_t)program, NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	char *key;
	int rc;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, fd, 0);
	posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY,
	    0);
	if (!noisy)
		posix_spawn_file_actions_addopen(&actions, 2, "/dev/null",
		    O_WRONLY, 0);
	spawn_attributes(&attr, 0);
	key = getenv("CHATCONF_KEY");
	key = key == NULL ? NULL : must(strdup(key));
	unsetenv("CHATCONF_KEY");
	rc = posix_spawn(&f->pid, program, &actions, &attr, argv, environ);
	if (key != NULL)
		setenv("CHATCONF_KEY", key, 1);
	free(key);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&actions);
	return rc;
}

static const char *
start_program(struct arena *a, struct target *target, struct fcgi *f)
{
	const char *tmp = getenv("TMPDIR"), *why;
	char *program;
	int fd, rc;

	f->folder = mem_printf(a, "%s/chatconf-XXXXXX",
	    tmp == NULL || *tmp == '\0' ? "/tmp" : tmp);
	if (mkdtemp(f->folder) == NULL)
		return mem_printf(a, "%s: %s", f->folder, strerror(errno));
	why = use_path(f, mem_printf(a, "%s/fcgi.sock", f->folder));
	if (why != NULL)
		return why;
	fd = listening(f);
	if (fd < 0)
		return mem_printf(a, "%s: %s", f->folder, strerror(errno));
	program = realpath(target->rest, NULL);
	rc = program == NULL ? errno
			     : spawn_on(f, program, fd, target->noisy);
	free(program);
	close(fd);
	return rc == 0 ? NULL
		       : mem_printf(a, "%s: %s", target->rest, strerror(rc));
}

static const char *
fcgi_open(struct arena *a, struct target *target)
{
	struct fcgi *f = mem_new(a, sizeof(*f));
	struct stat st;

	target->state = f;
	if (stat(target->rest, &st) != 0)
		return strchr(target->rest, '/') == NULL
		    ? use_host(a, f, target->rest)
		    : mem_printf(a, "%s: %s", target->rest, strerror(errno));
	if (S_ISSOCK(st.st_mode))
		return use_path(f, target->rest);
	if (S_ISREG(st.st_mode) && access(target->rest, X_OK) == 0)
		return NULL; /* started with the first connection */
	return mem_printf(a, "%s is neither a socket nor a program",
	    target->rest);
}

static void
fcgi_close(struct target *target)
{
	struct fcgi *f = target->state;
	int i;

	free(f->failure);
	if (f->pid > 0) {
		kill(f->pid, SIGTERM);
		for (i = 0; waitpid(f->pid, NULL, WNOHANG) == 0; i++) {
			if (i == STOP_MS)
				kill(f->pid, SIGKILL);
			usleep(1000);
		}
		f->pid = 0;
	}
	if (f->folder != NULL) {
		unlink(f->address.un.sun_path);
		rmdir(f->folder);
		free(f->folder);
	}
}

/* Called by one thread, before the workers begin: the first call starts the
 * program. */
static void *
fcgi_connect(struct target *target)
{
	struct fcgi *f = target->state;
	const char *why;
	struct arena a;

	if (f->family != 0)
		return f;
	arena_init(&a, MEM_ARENA_MAX);
	why = start_program(&a, target, f);
	if (why != NULL)
		f->failure = must(strdup(why));
	if (f->folder != NULL)
		f->folder = must(strdup(f->folder));
	arena_release(&a);
	return f;
}

static void
fcgi_disconnect(void *connection)
{
	(void)connection;
}

/* ---- the records -------------------------------------------------------- */

static void
add_record(struct buf *out, enum record_type type, const void *data,
    size_t len)
{
	unsigned char head[8] = {1, (unsigned char)type, 0, 1,
	    (unsigned char)(len >> 8), (unsigned char)len, 0, 0};

	buf_add(out, head, sizeof(head));
	buf_add(out, data, len);
}

/* A stream is records of at most 65535 bytes and an empty one. */
static void
add_stream(struct buf *out, enum record_type type, struct span bytes)
{
	size_t n;

	while (bytes.len > 0) {
		n = bytes.len > 65528 ? 65528 : bytes.len;
		add_record(out, type, bytes.data, n);
		bytes.data += n;
		bytes.len -= n;
	}
	add_record(out, type, "", 0);
}

static void
add_length(struct buf *out, size_t len)
{
	unsigned char long_form[4] = {(unsigned char)(len >> 24 | 0x80),
	    (unsigned char)(len >> 16), (unsigned char)(len >> 8),
	    (unsigned char)len};

	if (len < 128)
		buf_addc(out, (char)len);
	else
		buf_add(out, long_form, sizeof(long_form));
}

static void
write_request(struct arena *a, struct buf *out,
    const struct wire_request *request)
{
	static const unsigned char responder[8] = {0, 1, 0};
	struct buf params = BUF_INIT(MEM_TEXT_MAX);
	size_t i, count;
	char **variables = cgi_variables(a, request, "/chatconf", &count);
	struct span value, name;

	for (i = 0; i < count; i++) {
		value = span_of(variables[i]);
		name = span_cut(&value, '=');
		add_length(&params, name.len);
		add_length(&params, value.len);
		buf_add(&params, name.data, name.len);
		buf_add(&params, value.data, value.len);
	}
	add_record(out, BEGIN_REQUEST, responder, sizeof(responder));
	add_stream(out, PARAMS,
	    (struct span){buf_text(&params), params.len});
	add_stream(out, STDIN, request->body);
	buf_release(&params);
}

struct conversation {
	struct arena *arena;
	int fd;
	struct buf out; /* what is still to be sent, from `sent` on */
	size_t sent;
	struct buf in; /* bytes of records not complete yet */
	struct growing output;
	struct buf errors;
	bool ended;
	const char *failure;
};

static void
end_of_request(struct conversation *c, const unsigned char *data, size_t len)
{
	c->ended = true;
	if (len < 8)
		c->failure = "END_REQUEST is too short";
	else if (data[4] != 0)
		c->failure = mem_printf(c->arena,
		    "the server refused the request (protocol status %u)",
		    data[4]);
}

static void
read_record(struct conversation *c, const unsigned char *record, size_t len)
{
	switch (record[1]) {
	case STDOUT:
		if (!growing_add(&c->output, record + 8, len))
			c->failure = "a reply of more than 64 MB";
		break;
	case STDERR:
		if (c->errors.len + len <= ERRORS_KEPT)
			buf_add(&c->errors, record + 8, len);
		break;
	case END_REQUEST:
		end_of_request(c, record + 8, len);
		break;
	default:
		c->failure = mem_printf(c->arena,
		    "a FastCGI record of type %u", record[1]);
	}
}

static void
read_records(struct conversation *c)
{
	const unsigned char *r;
	size_t at = 0, len, whole;

	while (c->in.len - at >= 8 && !c->ended && c->failure == NULL) {
		r = (const unsigned char *)c->in.data + at;
		len = (size_t)r[4] << 8 | r[5];
		whole = 8 + len + r[6];
		if (r[0] != 1 || (r[2] << 8 | r[3]) != 1) {
			c->failure = "not a FastCGI record of our request";
			return;
		}
		if (c->in.len - at < whole)
			break;
		read_record(c, r, len);
		at += whole;
	}
	buf_consume(&c->in, at);
}

static void
receive(struct conversation *c)
{
	char data[65536];
	ssize_t n = read(c->fd, data, sizeof(data));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n < 0)
		c->failure = strerror(errno);
	else if (n == 0)
		c->failure = "the connection closed before the reply ended";
	else
		buf_add(&c->in, data, (size_t)n);
	read_records(c);
}

static void
transmit(struct conversation *c)
{
	ssize_t n = send(c->fd, c->out.data + c->sent, c->out.len - c->sent,
	    MSG_NOSIGNAL);

	if (n > 0)
		c->sent += (size_t)n;
	else if (errno != EAGAIN && errno != EINTR)
		c->sent = c->out.len; /* the reply says why, if anything */
}

static void
converse(struct conversation *c, int timeout_ms)
{
	int64_t end = clock_monotonic_ms() + timeout_ms, left;
	struct pollfd p = {.fd = c->fd};

	while (!c->ended && c->failure == NULL) {
		left = end - clock_monotonic_ms();
		if (left <= 0) {
			c->failure = "the reply did not end in time";
			return;
		}
		p.events = POLLIN | (c->sent < c->out.len ? POLLOUT : 0);
		if (poll(&p, 1, (int)left) < 0 && errno != EINTR) {
			c->failure = strerror(errno);
			return;
		}
		if (p.revents & POLLOUT)
			transmit(c);
		if (p.revents & (POLLIN | POLLHUP | POLLERR))
			receive(c);
	}
}

static bool
open_socket(struct conversation *c, const struct fcgi *f)
{
	c->fd = socket(f->family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0 ||
	    connect(c->fd, &f->address.any, f->address_len) != 0) {
		c->failure = mem_printf(c->arena, "no connection: %s",
		    strerror(errno));
		return false;
	}
	fcntl(c->fd, F_SETFL, O_NONBLOCK);
	return true;
}

static void
fcgi_send(struct arena *a, struct target *target, void *connection,
    const struct wire_request *request, struct reply *reply)
{
	const struct fcgi *f = connection;
	struct conversation c = {.arena = a, .fd = -1,
	    .failure = f->failure};
	struct span errors;

	buf_init(&c.out, MEM_TEXT_MAX);
	buf_init(&c.in, MEM_TEXT_MAX);
	buf_init(&c.errors, ERRORS_KEPT);
	write_request(a, &c.out, request);
	growing_init(&c.output, a, request);
	if (c.failure == NULL && open_socket(&c, f))
		converse(&c, target->timeout_ms);
	else
		reply->unreachable = true;
	growing_end(&c.output, reply);
	if (c.fd >= 0)
		close(c.fd);
	reply->failure = c.failure;
	if (c.ended)
		reply_from_cgi(a, reply->body, reply);
	errors = span_trim(
	    (struct span){buf_text(&c.errors), c.errors.len});
	if (errors.len > 0 && reply->header_fault != NULL)
		reply->header_fault = mem_printf(a,
		    "%s; standard error: %.*s", reply->header_fault,
		    (int)errors.len, errors.data);
	if (strcmp(request->method, "HEAD") == 0)
		reply->body.len = 0; /* a web server does not send it */
	buf_release(&c.errors);
	buf_release(&c.in);
	buf_release(&c.out);
}

static char *
fcgi_again(struct arena *a, const struct target *target,
    const struct wire_request *request)
{
	struct buf b = BUF_INIT(MEM_TEXT_MAX);
	const struct fcgi *f = target->state;
	size_t i, count;
	char **variables = cgi_variables(a, request, "/chatconf", &count);

	if (request->body.data != NULL)
		buf_printf(&b, "%s | ", shell_print(a, request->body));
	buf_adds(&b, "env");
	for (i = 0; i < count; i++)
		buf_printf(&b, " %s", shell_quote(a, span_of(variables[i])));
	/* A program of ours is gone by then: cgi-fcgi starts its own. */
	buf_printf(&b, " cgi-fcgi %s %s",
	    f->pid > 0 ? "-connect ./again.sock" : "-bind -connect",
	    shell_quote(a, span_of(target->rest)));
	if (request->body.data == NULL)
		buf_adds(&b, " </dev/null");
	return (char *)(uintptr_t)mem_take(a, &b).data;
}

const struct target_kind target_fcgi = {"fcgi:", fcgi_open, fcgi_close,
    fcgi_connect, fcgi_disconnect, fcgi_send, fcgi_again};
