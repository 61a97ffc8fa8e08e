/* Two workers that share libcurl's tables; the test is the model server. */
#include "upstream/upstream.h"

#include <arpa/inet.h>
#include <check.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "config/config.h"

Suite *upstream_suite(void);

#define CONNECT_MS 1000
#define CHUNK(text) "2\r\n" text "\r\n"

static int listener;
static char url[64];
static struct engine_config engine = {.name = "test", .tls_verify = true,
    .connect_timeout_ms = CONNECT_MS};

struct side {
	struct upstream *upstream;
	struct upstream_call *call;
	int server; /* the connection's other end */
};

static void
set_up(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);

	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(listener, (struct sockaddr *)&a, sizeof(a)), 0);
	ck_assert_int_eq(listen(listener, 8), 0);
	ck_assert_int_eq(
	    getsockname(listener, (struct sockaddr *)&a, &len), 0);
	(void)snprintf(
	    url, sizeof(url), "http://127.0.0.1:%d/", ntohs(a.sin_port));
}

static void
tear_down(void)
{
	(void)close(listener);
}

static void
answer(const struct side *s, const char *text)
{
	ck_assert_int_eq(send(s->server, text, strlen(text), 0),
	    (ssize_t)strlen(text));
}

/* Lets the side work until that much of a body has come. */
static void
work_until(struct side *s, int64_t received)
{
	int64_t until = clock_monotonic_ms() + 30000;
	struct interests in;

	interests_none(&in);
	while (upstream_received(s->call) < received) {
		ck_assert(clock_monotonic_ms() < until);
		upstream_step(s->call, clock_monotonic_ms(), &in);
		interests_none(&in);
		upstream_interests(s->call, &in);
		(void)poll(in.fds, (nfds_t)in.n, 10);
	}
}

/* A call whose reply has begun with the two letters "ab". */
static struct side
begin(void)
{
	struct upstream_post post = {.url = url, .body = SPAN("{}"),
	    .engine = &engine};
	struct side s = {.server = -1};
	int i;

	ck_assert_int_eq(upstream_join(&s.upstream), ERR_NONE);
	ck_assert_int_eq(
	    upstream_start(s.upstream, &post, &s.call), ERR_NONE);
	for (i = 0; i < 30000 && s.server < 0; i++) {
		upstream_step(s.call, clock_monotonic_ms(), NULL);
		if (poll(&(struct pollfd){listener, POLLIN, 0}, 1, 1) == 1)
			s.server = accept(listener, NULL, NULL);
	}
	ck_assert_int_ge(s.server, 0);
	answer(&s, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
		   "Transfer-Encoding: chunked\r\n\r\n" CHUNK("ab"));
	work_until(&s, 2);
	upstream_take(s.call, upstream_data(s.call).len);
	return s;
}

static void
end(struct side *s)
{
	upstream_end(s->call);
	upstream_leave(s->upstream);
	(void)close(s->server);
}

/* What arrives for a worker that sleeps may be read by another one, who sees
 * to libcurl's time-outs: here that of connecting, which passes for both.
 * The first must not sleep on. */
START_TEST(a_sleeper_is_woken)
{
	struct side sleeper = begin(), other = begin();
	bool ends = _i == 1;
	struct interests in;
	struct span data;

	ck_assert_ptr_eq(sleeper.upstream, other.upstream);
	interests_none(&in);
	upstream_interests(sleeper.call, &in);
	ck_assert_int_eq(poll(in.fds, (nfds_t)in.n, 0), 0);
	(void)usleep((CONNECT_MS + 50) * 1000);
	answer(&sleeper, ends ? "0\r\n\r\n" : CHUNK("cd"));
	upstream_step(other.call, clock_monotonic_ms(), NULL);
	if (ends)
		ck_assert_int_eq(
		    upstream_state(sleeper.call), UPSTREAM_COMPLETE);
	else
		ck_assert_int_eq(upstream_received(sleeper.call), 4);
	ck_assert_int_gt(poll(in.fds, (nfds_t)in.n, 0), 0);

	/* And it sleeps again when it has seen to that. */
	upstream_step(sleeper.call, clock_monotonic_ms(), &in);
	data = upstream_data(sleeper.call);
	ck_assert_int_eq(data.len, ends ? 0 : 2);
	upstream_take(sleeper.call, data.len);
	interests_none(&in);
	upstream_interests(sleeper.call, &in);
	ck_assert_int_eq(poll(in.fds, (nfds_t)in.n, 0), 0);
	end(&sleeper);
	end(&other);
}
END_TEST

/* Its own data ring for nobody. */
START_TEST(own_data_is_no_alarm)
{
	struct side s = begin();
	struct interests in;

	answer(&s, CHUNK("cd"));
	work_until(&s, 4);
	upstream_take(s.call, upstream_data(s.call).len);
	interests_none(&in);
	upstream_interests(s.call, &in);
	ck_assert_int_eq(poll(in.fds, (nfds_t)in.n, 0), 0);
	end(&s);
}
END_TEST

Suite *
upstream_suite(void)
{
	Suite *suite = suite_create("upstream");
	TCase *tc = tcase_create("shared");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_loop_test(tc, a_sleeper_is_woken, 0, 2);
	tcase_add_test(tc, own_data_is_no_alarm);
	suite_add_tcase(suite, tc);
	return suite;
}
