#include "http/router.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "http/gateway_memory.h"

Suite *router_suite(void);

#define UUID "edf826b8-1b75-4f57-bd26-641c897f9c1e"

static const struct {
	const char *pattern, *path;
	bool matches;
	const char *first, *second;
} matches[] = {
    {"/v1/chat", "/v1/chat", true, NULL, NULL},
    {"/v1/chat", "/v1/chat/", false, NULL, NULL},
    {"/v1/chat", "/v1/cha", false, NULL, NULL},
    {"/v1/chat", "/v1/Chat", false, NULL, NULL},
    {"/{}/stop", "/abc/stop", true, "abc", NULL},
    {"/{}/stop", "//stop", false, NULL, NULL},
    {"/{}/stop", "/a/b/stop", false, NULL, NULL},
    {"/c/{uuid}", "/c/" UUID, true, UUID, NULL},
    {"/c/{uuid}", "/c/abc", false, NULL, NULL},
    {"/c/{uuid}/m/{}", "/c/" UUID "/m/x", true, UUID, "x"},
    {"/c/{uuid}/m/{}", "/c/" UUID "/m/", false, NULL, NULL},
    {"/", "/", true, NULL, NULL},
};

START_TEST(patterns_match_whole_paths)
{
	struct span captures[4] = {SPAN_NONE};
	bool matched = router_match(matches[_i].pattern,
	    span_of(matches[_i].path), captures);

	ck_assert_int_eq(matched, matches[_i].matches);
	if (matches[_i].first != NULL)
		ck_assert(span_is(captures[0], matches[_i].first));
	if (matches[_i].second != NULL)
		ck_assert(span_is(captures[1], matches[_i].second));
}
END_TEST

static enum err
say(struct exchange *x, int status, const char *text)
{
	response_status(&x->response, status);
	return response_send(&x->response, "text/plain", span_of(text));
}

static enum err
fine(struct exchange *x)
{
	return say(x, 200, "fine");
}

static enum err
broken(struct exchange *x)
{
	response_status(&x->response, 200);
	if (response_header(&x->response, "X-Half", SPAN("made")) != ERR_NONE)
		return ERR_MEMORY;
	return ERR_STORE;
}

static enum err
broken_late(struct exchange *x)
{
	enum err err = response_begin_stream(&x->response, "text/plain");

	return err == ERR_NONE ? ERR_STORE : err;
}

static enum err
left(struct exchange *x)
{
	(void)x;
	return ERR_CLIENT_GONE;
}

static enum err
guard(struct exchange *x)
{
	enum err err;

	if (x->route->flags == 0)
		return ERR_NONE;
	err = say(x, 401, "key?");
	return err == ERR_NONE ? ERR_ANSWERED : err;
}

static enum err
not_allowed(struct exchange *x, const char *allow)
{
	return say(x, 405, allow);
}

static enum err
failed(struct exchange *x, enum err why)
{
	return say(x, why == ERR_STORE ? 503 : 500, "failed");
}

static bool
owns_a(const struct exchange *x)
{
	return span_starts(x->request.path, "/a");
}

static enum err
unknown_a(struct exchange *x)
{
	return say(x, 404, "a");
}

static enum err
unknown_b(struct exchange *x)
{
	return say(x, 404, "b");
}

static bool
options_b(struct exchange *x, enum err *err)
{
	*err = say(x, 200, "options");
	return true;
}

static const struct route routes_a[] = {
    {"GET", "/a/fine", fine, 0},
    {"GET", "/a/key", fine, 1},
    {"GET", "/a/broken", broken, 0},
    {"GET", "/a/late", broken_late, 0},
    {"GET", "/a/left", left, 0},
    {"GET", "/both", fine, 0},
    {"GET", "/a/two", fine, 0},
    {"POST", "/a/two", fine, 0},
};
static const struct route routes_b[] = {
    {"GET", "/b/{uuid}", fine, 0},
};
static const struct family family_a = {.name = "a",
    .routes = routes_a,
    .n_routes = sizeof(routes_a) / sizeof(routes_a[0]),
    .guard = guard,
    .method_not_allowed = not_allowed,
    .failed = failed,
    .owns = owns_a,
    .unknown_path = unknown_a};
static const struct family family_b = {.name = "b",
    .routes = routes_b,
    .n_routes = sizeof(routes_b) / sizeof(routes_b[0]),
    .method_not_allowed = not_allowed,
    .failed = failed,
    .unknown_path = unknown_b,
    .options = options_b};
static const struct family *const families[] = {&family_a, &family_b};

static const struct {
	const char *method, *uri;
	int status;
	const char *body;
} requests[] = {
    {"GET", "/a/fine", 200, "fine"},
    {"GET", "/a/fine?x", 200, "fine"},
    {"POST", "/a/fine", 405, "GET"},
    {"HEAD", "/a/fine", 405, ""},
    {"PUT", "/a/two", 405, "GET, POST"},
    {"OPTIONS", "/a/fine", 405, "GET"},
    {"GET", "/a/key", 401, "key?"},
    {"POST", "/a/key", 405, "GET"},
    {"GET", "/a/broken", 503, "failed"},
    {"GET", "/a/late", 200, ""},
    {"GET", "/a/left", 0, ""},
    {"GET", "/a/nothing", 404, "a"},
    {"GET", "/a/fine/", 404, "a"},
    {"GET", "/a/../a/fine", 404, "a"},
    {"GET", "/elsewhere", 404, "b"},
    {"GET", "/b/" UUID, 200, "fine"},
    {"GET", "/b/x", 404, "b"},
    {"OPTIONS", "/b/" UUID, 200, "options"},
    {"OPTIONS", "/elsewhere", 200, "options"},
};

START_TEST(each_request_finds_its_answer)
{
	char method[40], uri[100];
	const char *params[] = {method, uri, NULL};
	struct gateway_memory memory;
	struct exchange x = {.config = NULL};
	struct arena arena;
	enum err err;

	(void)snprintf(method, sizeof(method), "REQUEST_METHOD=%s",
	    requests[_i].method);
	(void)snprintf(uri, sizeof(uri), "REQUEST_URI=%s", requests[_i].uri);
	arena_init(&arena, 100000);
	gateway_memory_init(&memory, params, SPAN_NONE);
	ck_assert_int_eq(request_init(&x.request, &arena, &memory.gateway,
	    ""), ERR_NONE);
	response_init(&x.response, &memory.gateway, x.request.id,
	    strcmp(requests[_i].method, "HEAD") == 0);
	err = router_serve(families, 2, &x);
	ck_assert_int_eq(err, strcmp(requests[_i].uri, "/a/late") == 0
	    ? ERR_STORE : ERR_NONE);
	ck_assert_int_eq(gateway_memory_status(&memory),
	    requests[_i].status);
	ck_assert(span_is(gateway_memory_body(&memory), requests[_i].body));
	ck_assert_ptr_null(gateway_memory_header(&memory, "X-Half").data);
	response_release(&x.response);
	gateway_memory_release(&memory);
	arena_release(&arena);
}
END_TEST

Suite *
router_suite(void)
{
	Suite *s = suite_create("router");
	TCase *t = tcase_create("router");

	tcase_add_loop_test(t, patterns_match_whole_paths, 0,
	    (int)(sizeof(matches) / sizeof(matches[0])));
	tcase_add_loop_test(t, each_request_finds_its_answer, 0,
	    (int)(sizeof(requests) / sizeof(requests[0])));
	suite_add_tcase(s, t);
	return s;
}
