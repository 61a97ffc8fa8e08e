/*
 * A model server for load: one epoll loop, POST .../chat/completions, the
 * model's name says "tokens=N pace_ms=N stream=no".  Every token is
 * "t<nanoseconds of CLOCK_MONOTONIC> ", so whoever reads it knows how long
 * it took on the way.  `model PORT`; SIGTERM ends it.  When a client breaks
 * a call off it prints "gone NANOSECONDS after TOKENS"; at SIGUSR1 it prints
 * "behind NANOSECONDS", the latest of its own tokens since the last time.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MOST 20000
#define REQUEST_MAX 16384

struct call {
	int fd;
	char *in;
	size_t len;
	int tokens, said;
	int64_t pace_ns, due_ns;
	bool running;
};

static struct call calls[MOST];
static int epoll_fd;
static int64_t behind_ns;
static volatile sig_atomic_t asked;

static void
ask(int signal_number)
{
	(void)signal_number;
	asked = 1;
}

static int64_t
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void
put_chunk(struct call *c, const char *text)
{
	char out[512];
	int n = snprintf(out, sizeof(out), "%zx\r\n%s\r\n", strlen(text), text);

	if (send(c->fd, out, (size_t)n, MSG_NOSIGNAL) < 0)
		return;
}

static void
put_token(struct call *c)
{
	char event[400];

	snprintf(event, sizeof(event),
	    "data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\","
	    "\"created\":1700000000,\"model\":\"bench\",\"choices\":[{"
	    "\"index\":0,\"delta\":{\"content\":\"t%lld \"},"
	    "\"logprobs\":null,\"finish_reason\":null}],\"usage\":null}\n\n",
	    (long long)now_ns());
	if (now_ns() - c->due_ns > behind_ns)
		behind_ns = now_ns() - c->due_ns;
	put_chunk(c, event);
	c->said++;
	c->due_ns += c->pace_ns;
}

static void
put_end(struct call *c)
{
	put_chunk(c,
	    "data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\","
	    "\"created\":1700000000,\"model\":\"bench\",\"choices\":[{"
	    "\"index\":0,\"delta\":{},\"logprobs\":null,\"finish_reason\":"
	    "\"stop\"}],\"usage\":null}\n\n");
	put_chunk(c,
	    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":9,"
	    "\"completion_tokens\":9,\"total_tokens\":18}}\n\n");
	put_chunk(c, "data: [DONE]\n\n");
	if (send(c->fd, "0\r\n\r\n", 5, MSG_NOSIGNAL) < 0)
		return;
	c->running = false;
}

static void
put_whole(struct call *c)
{
	char body[400], out[700];
	int n = snprintf(body, sizeof(body),
	    "{\"id\":\"chatcmpl-1\",\"object\":\"chat.completion\",\"choices\":"
	    "[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":"
	    "\"t%lld \"},\"finish_reason\":\"stop\"}],\"usage\":{"
	    "\"prompt_tokens\":9,\"completion_tokens\":9,"
	    "\"total_tokens\":18}}", (long long)now_ns());

	n = snprintf(out, sizeof(out),
	    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
	    "Content-Length: %d\r\n\r\n%s", n, body);
	if (send(c->fd, out, (size_t)n, MSG_NOSIGNAL) < 0)
		return;
}

static long
number(const struct call *c, const char *name, long fallback)
{
	const char *at = strstr(c->in, name);

	return at == NULL ? fallback : strtol(at + strlen(name), NULL, 10);
}

static void
start(struct call *c)
{
	static const char head[] =
	    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
	    "Transfer-Encoding: chunked\r\n\r\n";

	c->tokens = (int)number(c, "tokens=", 3);
	c->pace_ns = number(c, "pace_ms=", 0) * 1000000;
	c->said = 0;
	if (strstr(c->in, "stream=no") != NULL) {
		put_whole(c);
	} else {
		if (send(c->fd, head, sizeof(head) - 1, MSG_NOSIGNAL) < 0)
			return;
		c->running = true;
		c->due_ns = now_ns();
	}
	c->len = 0;
}

static void
leave(struct call *c)
{
	if (c->running)
		printf("gone %lld after %d\n", (long long)now_ns(), c->said);
	fflush(stdout);
	close(c->fd);
	free(c->in);
	memset(c, 0, sizeof(*c));
}

static void
readable(struct call *c)
{
	char *body;
	ssize_t n = recv(c->fd, c->in + c->len, REQUEST_MAX - 1 - c->len, 0);

	if (n <= 0) {
		if (n == 0 || errno != EAGAIN)
			leave(c);
		return;
	}
	c->len += (size_t)n;
	c->in[c->len] = '\0';
	body = strstr(c->in, "\r\n\r\n");
	if (body == NULL)
		return;
	if (c->len >= (size_t)(body + 4 - c->in) +
			  (size_t)number(c, "ontent-Length: ",
			      number(c, "ONTENT-LENGTH: ", 0)))
		start(c);
}

static void
take(int listener)
{
	struct epoll_event e = {.events = EPOLLIN};
	int fd, one = 1;

	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
		if (fd >= MOST) {
			close(fd);
			continue;
		}
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		calls[fd] = (struct call){.fd = fd, .in = malloc(REQUEST_MAX)};
		e.data.fd = fd;
		epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &e);
	}
}

/* Says what is due; returns the milliseconds to the next token. */
static int
speak(void)
{
	int64_t now = now_ns(), next = now + 1000000000;
	int i;

	for (i = 0; i < MOST; i++) {
		struct call *c = &calls[i];

		while (c->running && c->said < c->tokens && c->due_ns <= now)
			put_token(c);
		if (c->running && c->said == c->tokens)
			put_end(c);
		if (c->running && c->due_ns < next)
			next = c->due_ns;
	}
	return (int)((next - now + 999999) / 1000000);
}

int
main(int argc, char **argv)
{
	struct sockaddr_in a = {.sin_family = AF_INET};
	struct epoll_event events[256], e = {.events = EPOLLIN};
	struct rlimit limit = {MOST, MOST};
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	int one = 1, n, i;

	setrlimit(RLIMIT_NOFILE, &limit);
	signal(SIGPIPE, SIG_IGN);
	a.sin_port = htons((uint16_t)(argc > 1 ? atol(argv[1]) : 0));
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(listener, (struct sockaddr *)&a, sizeof(a)) != 0 ||
	    listen(listener, 4096) != 0) {
		perror("model");
		return 1;
	}
	epoll_fd = epoll_create1(0);
	e.data.fd = listener;
	epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listener, &e);
	signal(SIGUSR1, ask);
	for (;;) {
		n = epoll_wait(epoll_fd, events, 256, speak());
		if (asked) {
			printf("behind %lld\n", (long long)behind_ns);
			fflush(stdout);
			behind_ns = asked = 0;
		}
		for (i = 0; i < n; i++) {
			if (events[i].data.fd == listener)
				take(listener);
			else if (calls[events[i].data.fd].in != NULL)
				readable(&calls[events[i].data.fd]);
		}
	}
}
