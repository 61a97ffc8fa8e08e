/*
 * Many requests at once, in one epoll loop, and how late each token
 * "t<nanoseconds> " of their answers is.
 *
 *   streams ADDRESS AT_ONCE TOTAL URI HEADER-KEY BODY [RAMP_MS [CANCEL_MS]]
 *
 * ADDRESS is the path of a FastCGI socket, or a port of 127.0.0.1 where HTTP
 * is spoken.
 * AT_ONCE requests run at a time until TOTAL were made; the first ones start
 * spread over RAMP_MS.  With CANCEL_MS each connection is closed that long
 * after its request, and "left NANOSECONDS" is printed.  Prints one line of
 * NAME=VALUE: ends (answers that came to their own end), bad (those that did
 * not), tokens, first_us_* (from the request to its first token), token_us_*
 * (a later token on its way), late (tokens over 100 ms), busy_us_max (how
 * long this client was, at the most, between two looks at its connections),
 * seconds, per_second.
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
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define MOST 20000
#define SAMPLES 4000000

struct stream {
	int fd;
	int64_t started_ns;
	char tail[64]; /* a token cut by the end of a read */
	size_t n_tail;
	int tokens;
	bool terminal; /* [DONE], message_end, or an answer's JSON */
	bool over; /* the HTTP message has ended */
	bool used;
};

struct samples {
	int64_t *at;
	size_t n;
};

static struct stream streams[MOST];
static int epoll_fd;
static const char *path; /* NULL: HTTP */
static int port;
static char *request;
static size_t request_len;
static struct samples firsts, laters;
static size_t ends, bad, late, running, made;

static int64_t
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void
add(struct samples *s, int64_t ns)
{
	if (s->n < SAMPLES)
		s->at[s->n++] = ns;
}

/* ---- the request -------------------------------------------------------- */

static char *
put_record(char *to, int kind, const char *data, size_t len)
{
	unsigned char head[8] = {1, (unsigned char)kind, 0, 1,
	    (unsigned char)(len >> 8), (unsigned char)len, 0, 0};

	memcpy(to, head, 8);
	memcpy(to + 8, data, len);
	return to + 8 + len;
}

static char *
put_pair(char *to, const char *name, const char *value)
{
	size_t n = strlen(name), v = strlen(value);

	*to++ = (char)n;
	if (v > 127) {
		*to++ = (char)0x80;
		*to++ = (char)(v >> 16);
		*to++ = (char)(v >> 8);
	}
	*to++ = (char)v;
	memcpy(to, name, n);
	memcpy(to + n, value, v);
	return to + n + v;
}

static void
make_request(const char *uri, const char *key, const char *body)
{
	static const char begin[8] = {0, 1, 0, 0, 0, 0, 0, 0};
	char params[4096], text[512], *p = params, *to;

	request = malloc(70000);
	to = put_record(request, 1, begin, 8);
	p = put_pair(p, "FCGI_ROLE", "RESPONDER");
	p = put_pair(p, "REQUEST_METHOD", "POST");
	p = put_pair(p, "REQUEST_URI", uri);
	p = put_pair(p, "PATH_INFO", uri);
	p = put_pair(p, "SCRIPT_NAME", "");
	p = put_pair(p, "QUERY_STRING", "");
	p = put_pair(p, "REMOTE_ADDR", "127.0.0.1");
	p = put_pair(p, "SERVER_PROTOCOL", "HTTP/1.1");
	p = put_pair(p, "GATEWAY_INTERFACE", "CGI/1.1");
	p = put_pair(p, "CONTENT_TYPE", "application/json");
	snprintf(text, sizeof(text), "%zu", strlen(body));
	p = put_pair(p, "CONTENT_LENGTH", text);
	snprintf(text, sizeof(text), "Bearer %s", key);
	p = put_pair(p, "HTTP_AUTHORIZATION", text);
	to = put_record(to, 4, params, (size_t)(p - params));
	to = put_record(to, 4, "", 0);
	to = put_record(to, 5, body, strlen(body));
	to = put_record(to, 5, "", 0);
	request_len = (size_t)(to - request);
}

static void
make_http_request(const char *uri, const char *key, const char *body)
{
	request = malloc(70000);
	request_len = (size_t)snprintf(request, 70000,
	    "POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
	    "Content-Type: application/json\r\nContent-Length: %zu\r\n"
	    "Authorization: Bearer %s\r\n\r\n%s", uri, strlen(body), key,
	    body);
}

static int
connected(void)
{
	struct sockaddr_un u = {.sun_family = AF_UNIX};
	struct sockaddr_in i = {.sin_family = AF_INET};
	int fd = socket(path != NULL ? AF_UNIX : AF_INET, SOCK_STREAM, 0);
	int one = 1, tries = 0, rc;

	if (path != NULL)
		snprintf(u.sun_path, sizeof(u.sun_path), "%s", path);
	else
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	i.sin_port = htons((uint16_t)port);
	i.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	do {
		if (tries > 0)
			usleep(1000);
		rc = path != NULL
			 ? connect(fd, (struct sockaddr *)&u, sizeof(u))
			 : connect(fd, (struct sockaddr *)&i, sizeof(i));
	} while (rc != 0 && ++tries < 2000);
	if (rc != 0) {
		perror("connect");
		exit(1);
	}
	return fd;
}

static void
begin(void)
{
	struct epoll_event e = {.events = EPOLLIN};
	int fd = connected();

	streams[fd] = (struct stream){
	    .fd = fd, .started_ns = now_ns(), .used = true};
	if (write(fd, request, request_len) != (ssize_t)request_len) {
		perror("write");
		exit(1);
	}
	fcntl(fd, F_SETFL, O_NONBLOCK);
	e.data.fd = fd;
	epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &e);
	running++;
	made++;
}

/* ---- the answer --------------------------------------------------------- */

static void
token(struct stream *s, int64_t sent_ns, int64_t now)
{
	if (s->tokens++ == 0)
		add(&firsts, now - s->started_ns);
	else
		add(&laters, now - sent_ns);
	if (now - sent_ns > 100000000)
		late++;
}

/* Every "t<15 or more digits> " in it. */
static void
scan(struct stream *s, const char *data, size_t len, int64_t now)
{
	char text[70000];
	char *at = text, *end;
	long long ns;

	memcpy(text, s->tail, s->n_tail);
	memcpy(text + s->n_tail, data, len);
	len += s->n_tail;
	text[len] = '\0';
	while ((at = memchr(at, 't', (size_t)(text + len - at))) != NULL) {
		at++;
		if (*at < '0' || *at > '9')
			continue;
		ns = strtoll(at, &end, 10);
		if (end == text + len)
			break; /* cut: it comes again */
		if (*end == ' ' && end - at > 9) {
			token(s, ns, now);
			memset(at - 1, '.', (size_t)(end - at));
		}
		at = end;
	}
	if (memmem(text, len, "[DONE]", 6) != NULL ||
	    memmem(text, len, "\"message_end\"", 13) != NULL ||
	    memmem(text, len, "{\"content\":\"t", 13) != NULL ||
	    memmem(text, len, "\"content\":\".", 12) != NULL ||
	    memmem(text, len, "\"answer\":", 9) != NULL)
		s->terminal = true;
	/* HTTP connections may stay open behind an answer. */
	s->over = path == NULL && s->terminal && len >= 5 &&
		  memcmp(text + len - 5, "0\r\n\r\n", 5) == 0;
	s->n_tail = len < 40 ? len : 40;
	memcpy(s->tail, text + len - s->n_tail, s->n_tail);
}

static void
finish(struct stream *s, bool fine)
{
	if (fine)
		ends++;
	else
		bad++;
	close(s->fd);
	s->used = false;
	running--;
}

static void
readable(struct stream *s)
{
	char data[65536];
	ssize_t n = read(s->fd, data, sizeof(data));

	if (n > 0)
		scan(s, data, (size_t)n, now_ns());
	if (s->over || n == 0 || (n < 0 && errno != EAGAIN))
		finish(s, s->terminal && s->tokens > 0);
}

static int
compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void
show(const char *name, struct samples *s)
{
	if (s->n == 0)
		return;
	qsort(s->at, s->n, sizeof(s->at[0]), compare);
	printf("%s_p50=%.1f %s_p99=%.1f %s_max=%.1f ", name,
	    (double)s->at[s->n / 2] / 1e3, name,
	    (double)s->at[(s->n - 1) * 99 / 100] / 1e3, name,
	    (double)s->at[s->n - 1] / 1e3);
}

static void
cancel_old(int64_t after_ns)
{
	int64_t now = now_ns();
	int i;

	for (i = 0; i < MOST; i++)
		if (streams[i].used &&
		    now - streams[i].started_ns > after_ns) {
			printf("left %lld\n", (long long)now_ns());
			finish(&streams[i], true);
		}
}

int
main(int argc, char **argv)
{
	struct epoll_event events[512];
	struct rlimit limit = {MOST, MOST};
	size_t at_once, total;
	int64_t ramp_ns, cancel_ns, started, next, woken = 0, busy = 0;
	int n, i;

	if (argc < 7)
		return 2;
	setrlimit(RLIMIT_NOFILE, &limit);
	signal(SIGPIPE, SIG_IGN);
	path = strchr(argv[1], '/') != NULL ? argv[1] : NULL;
	port = (int)atol(argv[1]);
	at_once = (size_t)atol(argv[2]);
	total = (size_t)atol(argv[3]);
	if (path != NULL)
		make_request(argv[4], argv[5], argv[6]);
	else
		make_http_request(argv[4], argv[5], argv[6]);
	ramp_ns = argc > 7 ? atol(argv[7]) * 1000000 : 0;
	cancel_ns = argc > 8 ? atol(argv[8]) * 1000000 : 0;
	firsts.at = malloc(SAMPLES * sizeof(int64_t));
	laters.at = malloc(SAMPLES * sizeof(int64_t));
	epoll_fd = epoll_create1(0);
	started = now_ns();
	while (made < total || running > 0) {
		next = started + ramp_ns * (int64_t)made / (int64_t)at_once;
		while (made < total && running < at_once &&
		       (made >= at_once || now_ns() >= next)) {
			begin();
			next = started +
			       ramp_ns * (int64_t)made / (int64_t)at_once;
		}
		if (woken != 0 && now_ns() - woken > busy)
			busy = now_ns() - woken;
		n = epoll_wait(epoll_fd, events, 512,
		    cancel_ns > 0 ? 1 : made < at_once ? 1 : 1000);
		woken = now_ns();
		for (i = 0; i < n; i++)
			if (streams[events[i].data.fd].used)
				readable(&streams[events[i].data.fd]);
		if (cancel_ns > 0)
			cancel_old(cancel_ns);
	}
	printf("ends=%zu bad=%zu tokens=%zu late=%zu ", ends, bad,
	    firsts.n + laters.n, late);
	show("first_us", &firsts);
	show("token_us", &laters);
	printf("busy_us_max=%.1f ", (double)busy / 1e3);
	printf("seconds=%.2f per_second=%.0f\n",
	    (double)(now_ns() - started) / 1e9,
	    (double)ends / ((double)(now_ns() - started) / 1e9));
	return 0;
}
