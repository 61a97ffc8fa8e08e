#include "http/request.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "http/gateway_memory.h"

Suite *request_suite(void);

static struct arena arena;
static struct gateway_memory memory;
static struct request request;

static void
setup(void)
{
	arena_init(&arena, 8U * 1024U * 1024U);
}

static void
teardown(void)
{
	gateway_memory_release(&memory);
	arena_release(&arena);
}

static void
begin(const char *const *params, struct span body)
{
	gateway_memory_init(&memory, params, body);
	ck_assert_int_eq(request_init(&request, &arena, &memory.gateway, ""),
	    ERR_NONE);
}

START_TEST(reads_the_line_and_the_headers)
{
	static const char *const params[] = {"REQUEST_METHOD=POST",
	    "REQUEST_URI=/v1/messages%2Fx?user=a%20b&limit=5",
	    "HTTP_HOST=example.org:8080", "HTTPS=on",
	    "HTTP_AUTHORIZATION=Bearer x", "CONTENT_TYPE=application/json",
	    "REMOTE_ADDR=127.0.0.1", "HTTP_X_API_KEY=k", NULL};
	struct span value;
	size_t i;

	begin(params, SPAN_NONE);
	ck_assert_str_eq(request.method, "POST");
	ck_assert_str_eq(request.path.data, "/v1/messages/x");
	ck_assert(span_is(request.query, "user=a%20b&limit=5"));
	ck_assert(request_query(&request, "user", &value));
	ck_assert_str_eq(value.data, "a b");
	ck_assert(!request_query(&request, "nobody", &value));
	ck_assert_str_eq(request.host, "example.org:8080");
	ck_assert_str_eq(request.scheme, "https");
	ck_assert_str_eq(request.authorization, "Bearer x");
	ck_assert_str_eq(request_header(&request, "X-Api-Key"), "k");
	ck_assert_str_eq(request_header(&request, "content-type"),
	    "application/json");
	ck_assert_ptr_null(request_header(&request, "X-Other"));
	ck_assert_uint_eq(strlen(request.id), 32);
	for (i = 0; i < 32; i++)
		ck_assert(strchr("0123456789abcdef", request.id[i]) != NULL);
}
END_TEST

static const struct {
	const char *uri, *path;
	bool refused;
} paths[] = {
    {"/v1/chat", "/v1/chat", false},
    {"/v1//chat", "/v1//chat", false},
    {"//v1/chat", "//v1/chat", false},
    {"/v1/%63hat?x=..", "/v1/chat", false},
    {"/v1/../chat", "/v1/../chat", true},
    {"/v1/%2e%2E/chat", "/v1/../chat", true},
    {"/v1/%2e%2e", "/v1/..", true},
    {"/..", "/..", true},
    {"/v1/..x", "/v1/..x", false},
    {"/v1/chat%00", "/v1/chat", true},
    {"http://example.org/v1/chat", "/v1/chat", false},
    {"http://example.org", "/", false},
    {"https://example.org/v1/chat?a", "/v1/chat", false},
    {"?x=1", "/", false},
    {"*", "/*", false},
};

START_TEST(the_path_comes_from_the_request_uri)
{
	char uri[100] = "REQUEST_URI=";
	const char *params[] = {"REQUEST_METHOD=GET", uri, NULL};

	strncat(uri, paths[_i].uri, sizeof(uri) - strlen(uri) - 1);
	begin(params, SPAN_NONE);
	ck_assert_str_eq(request.path.data, paths[_i].path);
	ck_assert_int_eq(request.path_refused, paths[_i].refused);
}
END_TEST

START_TEST(without_a_request_uri_the_other_two_serve)
{
	static const char *const params[] = {"REQUEST_METHOD=GET",
	    "SCRIPT_NAME=/v1", "PATH_INFO=/chat", "QUERY_STRING=a=b", NULL};

	begin(params, SPAN_NONE);
	ck_assert_str_eq(request.path.data, "/v1/chat");
	ck_assert(span_is(request.query, "a=b"));
	request.path = SPAN_NONE;
	memory.gateway.cgi = true;
	ck_assert_int_eq(request_init(&request, &arena, &memory.gateway, ""),
	    ERR_NONE);
	ck_assert_str_eq(request.path.data, "/chat");
	ck_assert(span_is(request.mount, "/v1"));
}
END_TEST

START_TEST(no_method_or_no_path_is_refused)
{
	static const char *const no_method[] = {"REQUEST_URI=/", NULL};
	static const char *const no_path[] = {"REQUEST_METHOD=GET", NULL};

	gateway_memory_init(&memory, no_method, SPAN_NONE);
	ck_assert_int_eq(request_init(&request, &arena, &memory.gateway, ""),
	    ERR_INPUT);
	memory.params = no_path;
	ck_assert_int_eq(request_init(&request, &arena, &memory.gateway, ""),
	    ERR_INPUT);
}
END_TEST

static const struct {
	const char *param, *value; /* value NULL: none is seen */
} authorizations[] = {
    {"HTTP_AUTHORIZATION=Bearer a", "Bearer a"},
    {"REDIRECT_HTTP_AUTHORIZATION=Bearer b", "Bearer b"},
    {"REDIRECT_REDIRECT_HTTP_AUTHORIZATION=c", "c"},
    {"HTTP_AUTHORIZATION=", NULL},
    {"HTTP_X_AUTHORIZATION=no", NULL},
};

START_TEST(authorization_under_all_its_names)
{
	const char *params[] = {"REQUEST_METHOD=GET", "REQUEST_URI=/",
	    authorizations[_i].param, NULL};

	begin(params, SPAN_NONE);
	if (authorizations[_i].value == NULL)
		ck_assert_ptr_null(request.authorization);
	else
		ck_assert_str_eq(request.authorization,
		    authorizations[_i].value);
}
END_TEST

static const struct {
	const char *host, *name, *port, *https, *result;
} hosts[] = {
    {"HTTP_HOST=a.b", "SERVER_NAME=s", "SERVER_PORT=80", "X=", "a.b"},
    {"HTTP_HOST=[::1]:90", "SERVER_NAME=s", "SERVER_PORT=80", "X=",
	"[::1]:90"},
    {"HTTP_HOST=", "SERVER_NAME=s", "SERVER_PORT=80", "X=", "s"},
    {"HTTP_HOST=a/b", "SERVER_NAME=s", "SERVER_PORT=81", "X=", "s:81"},
    {"HTTP_HOST=a b", "SERVER_NAME=s", "SERVER_PORT=443", "HTTPS=on", "s"},
    {"HTTP_HOST=a:b", "SERVER_NAME=s", "SERVER_PORT=80", "HTTPS=on", "s:80"},
    {"HTTP_HOST=a@b", "SERVER_NAME=s", "SERVER_PORT=x", "X=", "s"},
    {"HTTP_HOST=a\r\nX: y", "SERVER_NAME=<>", "SERVER_PORT=80", "X=",
	"localhost"},
    {"HTTP_HOST=a:123456", "SERVER_NAME=[::1]", "SERVER_PORT=8080", "X=",
	"[::1]:8080"},
};

START_TEST(only_a_host_is_taken_as_one)
{
	const char *params[] = {"REQUEST_METHOD=GET", "REQUEST_URI=/",
	    hosts[_i].host, hosts[_i].name, hosts[_i].port, hosts[_i].https,
	    NULL};

	begin(params, SPAN_NONE);
	ck_assert_str_eq(request.host, hosts[_i].result);
}
END_TEST

static const struct {
	const char *length, *coding, *body;
	size_t max;
	enum body_state state;
	const char *result;
} bodies[] = {
    {"CONTENT_LENGTH=5", "X=", "hello", 5, BODY_READ, "hello"},
    {"CONTENT_LENGTH=5", "X=", "hello world", 100, BODY_READ, "hello"},
    {"CONTENT_LENGTH=6", "X=", "hello", 100, BODY_CUT, NULL},
    {"CONTENT_LENGTH=5", "X=", "hello", 4, BODY_TOO_BIG, NULL},
    {"CONTENT_LENGTH=0", "X=", "hello", 100, BODY_READ, ""},
    {"CONTENT_LENGTH=", "X=", "hello", 100, BODY_READ, ""},
    {"X=", "X=", "hello", 100, BODY_READ, ""},
    {"CONTENT_LENGTH=-1", "X=", "hello", 100, BODY_BAD_LENGTH, NULL},
    {"CONTENT_LENGTH=+5", "X=", "hello", 100, BODY_BAD_LENGTH, NULL},
    {"CONTENT_LENGTH= 5", "X=", "hello", 100, BODY_BAD_LENGTH, NULL},
    {"CONTENT_LENGTH=0x5", "X=", "hello", 100, BODY_BAD_LENGTH, NULL},
    {"CONTENT_LENGTH=99999999999999999999", "X=", "hello", 100,
	BODY_TOO_BIG, NULL},
    {"X=", "HTTP_TRANSFER_ENCODING=chunked", "hello", 5, BODY_READ, "hello"},
    {"X=", "HTTP_TRANSFER_ENCODING=chunked", "hello", 4, BODY_TOO_BIG, NULL},
    {"X=", "HTTP_TRANSFER_ENCODING=chunked", "", 4, BODY_READ, ""},
    {"CONTENT_LENGTH=2", "HTTP_TRANSFER_ENCODING=chunked", "hello", 5,
	BODY_READ, "he"},
};

START_TEST(bodies_have_their_length)
{
	const char *params[] = {"REQUEST_METHOD=POST", "REQUEST_URI=/",
	    bodies[_i].length, bodies[_i].coding, NULL};
	size_t pieces;

	for (pieces = 0; pieces < 3; pieces++) {
		begin(params, span_of(bodies[_i].body));
		memory.read_max = pieces;
		ck_assert_int_eq(request_read_body(&request, bodies[_i].max),
		    bodies[_i].state);
		if (bodies[_i].result != NULL)
			ck_assert_str_eq(request.body.data, bodies[_i].result);
	}
}
END_TEST

START_TEST(a_body_that_breaks_off_or_stalls_is_told_apart)
{
	static const char *const params[] = {"REQUEST_METHOD=POST",
	    "REQUEST_URI=/", "CONTENT_LENGTH=9", NULL};

	begin(params, SPAN("abc"));
	memory.read_end = ERR_IO;
	ck_assert_int_eq(request_read_body(&request, 100), BODY_CUT);
	begin(params, SPAN("abc"));
	memory.read_end = ERR_TIMEOUT;
	ck_assert_int_eq(request_read_body(&request, 100), BODY_STALLED);
}
END_TEST

START_TEST(a_big_body_arrives_whole_and_a_liar_costs_little)
{
	static const char *const params[] = {"REQUEST_METHOD=POST",
	    "REQUEST_URI=/", "CONTENT_LENGTH=1048576", NULL};
	char *big = malloc(1048576);
	size_t used;

	ck_assert_ptr_nonnull(big);
	memset(big, 'x', 1048576);
	begin(params, (struct span){big, 1048576});
	memory.read_max = 8192;
	ck_assert_int_eq(request_read_body(&request, 1048576), BODY_READ);
	ck_assert_uint_eq(request.body.len, 1048576);
	ck_assert_int_eq(memcmp(request.body.data, big, 1048576), 0);
	used = arena.used;
	begin(params, SPAN("x"));
	ck_assert_int_eq(request_read_body(&request, 1048576), BODY_CUT);
	ck_assert_uint_lt(arena.used - used, 20000);
	free(big);
}
END_TEST

START_TEST(out_of_memory_is_told)
{
	static const char *const params[] = {"REQUEST_METHOD=POST",
	    "REQUEST_URI=/v1/chat", "CONTENT_LENGTH=3",
	    "HTTP_HOST=a", NULL};
	size_t max;
	enum err err;
	bool done = false;

	for (max = 0; max < 30000 && !done; max += 7) {
		arena_release(&arena);
		arena_init(&arena, max);
		gateway_memory_init(&memory, params, SPAN("abc"));
		err = request_init(&request, &arena, &memory.gateway, "");
		ck_assert(err == ERR_NONE || err == ERR_MEMORY);
		if (err == ERR_NONE)
			done = request_read_body(&request, 100) == BODY_READ;
	}
	ck_assert(done);
}
END_TEST

#define ROWS(table) (int)(sizeof(table) / sizeof((table)[0]))

Suite *
request_suite(void)
{
	Suite *s = suite_create("request");
	TCase *t = tcase_create("request");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, reads_the_line_and_the_headers);
	tcase_add_loop_test(t, the_path_comes_from_the_request_uri,
	    0, ROWS(paths));
	tcase_add_test(t, without_a_request_uri_the_other_two_serve);
	tcase_add_test(t, no_method_or_no_path_is_refused);
	tcase_add_loop_test(t, authorization_under_all_its_names,
	    0, ROWS(authorizations));
	tcase_add_loop_test(t, only_a_host_is_taken_as_one,
	    0, ROWS(hosts));
	tcase_add_loop_test(t, bodies_have_their_length, 0,
	    ROWS(bodies));
	tcase_add_test(t, a_body_that_breaks_off_or_stalls_is_told_apart);
	tcase_add_test(t, a_big_body_arrives_whole_and_a_liar_costs_little);
	tcase_add_test(t, out_of_memory_is_told);
	suite_add_tcase(s, t);
	return s;
}
