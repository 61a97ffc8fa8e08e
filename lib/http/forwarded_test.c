#include "http/forwarded.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "http/gateway_memory.h"

Suite *forwarded_suite(void);

#define PARAMS_MAX 8
#define N(rows) (int)(sizeof(rows) / sizeof((rows)[0]))

static struct arena arena;
static struct gateway_memory memory;
static struct request request;

static void
set_up(void)
{
	arena_init(&arena, 8U * 1024U * 1024U);
}

static void
tear_down(void)
{
	gateway_memory_release(&memory);
	arena_release(&arena);
}

/* A request from peer with these variables; "10.0.0.0/8, ::1, unix:" are
 * trusted. */
static void
begin(const char *peer, const char *const *variables)
{
	static const char *params[PARAMS_MAX];
	static struct net_range items[3];
	static const struct net_ranges trusted = {items, 3};
	static char address[64];
	size_t i;

	ck_assert(net_range_parse(SPAN("10.0.0.0/8"), &items[0]));
	ck_assert(net_range_parse(SPAN("::1"), &items[1]));
	ck_assert(net_range_parse(SPAN("unix:"), &items[2]));
	(void)snprintf(address, sizeof(address), "REMOTE_ADDR=%s", peer);
	params[0] = "REQUEST_METHOD=GET";
	params[1] = "REQUEST_URI=/";
	params[2] = address;
	for (i = 0; i + 4 < PARAMS_MAX && variables[i] != NULL; i++)
		params[3 + i] = variables[i];
	params[3 + i] = NULL;
	gateway_memory_init(&memory, params, SPAN_NONE);
	ck_assert_int_eq(request_init(&request, &arena, &memory.gateway, ""),
	    ERR_NONE);
	ck_assert_int_eq(forwarded_apply(&request, &trusted), ERR_NONE);
}

#define LIST(value) "HTTP_X_FORWARDED_FOR=" value
#define FORWARDED(value) "HTTP_FORWARDED=" value
#define SCHEME(value) "HTTP_X_FORWARDED_PROTO=" value

/* Whom a request is of, and by which scheme. */
static const struct {
	const char *name, *peer;
	const char *variables[3];
	const char *client, *scheme;
} clients[] = {
    {"a stranger's word is nothing", "192.0.2.9",
	{LIST("192.0.2.1"), FORWARDED("for=192.0.2.1;proto=https"),
	    SCHEME("https")}, "192.0.2.9", "http"},
    {"a proxy names its client", "10.0.0.1", {LIST("192.0.2.1")},
	"192.0.2.1", "http"},
    {"a proxy over a Unix socket too", "unix:", {LIST("192.0.2.1")},
	"192.0.2.1", "http"},
    {"what stands left of the client is his word", "10.0.0.1",
	{LIST("127.0.0.1, 10.0.0.7, 192.0.2.1, 10.0.0.2")}, "192.0.2.1",
	"http"},
    {"proxies alone: the first of them", "10.0.0.1",
	{LIST("10.0.0.3, 10.0.0.2")}, "10.0.0.3", "http"},
    {"no address stops the way back", "10.0.0.1",
	{LIST("192.0.2.1, unknown, 10.0.0.2")}, "10.0.0.2", "http"},
    {"a Unix socket is nobody's client address", "10.0.0.1",
	{LIST("unix:")}, "10.0.0.1", "http"},
    {"a name is none", "10.0.0.1", {LIST("192.0.2.1, client.example")},
	"10.0.0.1", "http"},
    {"ports are cut", "10.0.0.1", {LIST("[2001:DB8::1]:4711")},
	"2001:db8::1", "http"},
    {"a mapped address is the IPv4 one", "::1",
	{LIST("::ffff:192.0.2.1")}, "192.0.2.1", "http"},
    {"an empty list names nobody", "10.0.0.1", {LIST("")}, "10.0.0.1",
	"http"},
    {"the scheme is the proxy's", "10.0.0.1",
	{LIST("192.0.2.1"), SCHEME("HTTPS")}, "192.0.2.1", "https"},
    {"the first scheme is the outermost's", "10.0.0.1",
	{LIST("192.0.2.1"), SCHEME("https, http")}, "192.0.2.1", "https"},
    {"the server's own scheme gives way", "10.0.0.1",
	{"HTTPS=on", SCHEME("http")}, "10.0.0.1", "http"},
    {"no scheme at all", "10.0.0.1", {"HTTPS=on", SCHEME("gopher")},
	"10.0.0.1", "https"},
    {"Forwarded", "10.0.0.1",
	{FORWARDED("for=192.0.2.1;proto=https;by=203.0.113.43")},
	"192.0.2.1", "https"},
    {"Forwarded in quotes, blanks, any case", "10.0.0.1",
	{FORWARDED("For=\"[2001:db8::1]:4711\" ; PROTO=\"https\" , "
		   "for=10.0.0.2")}, "2001:db8::1", "https"},
    {"Forwarded without whom", "10.0.0.1", {FORWARDED("proto=https")},
	"10.0.0.1", "http"},
    {"a hidden client", "10.0.0.1",
	{FORWARDED("for=192.0.2.1, for=_secret")}, "10.0.0.1", "http"},
    {"an open quote swallows nothing", "10.0.0.1",
	{FORWARDED("for=1.1.1.1;by=\", for=192.0.2.1")}, "10.0.0.1", "http"},
    {"nor one that the proxy's quote closes", "10.0.0.1",
	{FORWARDED("for=1.1.1.1;by=\", for=\"[2001:db8::1]:4711\"")},
	"10.0.0.1", "http"},
    {"nor a backslash before that", "10.0.0.1",
	{FORWARDED("for=1.1.1.1;by=\"\\, for=\"[2001:db8::1]\"")},
	"10.0.0.1", "http"},
    {"no grammar, no word", "10.0.0.1", {FORWARDED("192.0.2.1")},
	"10.0.0.1", "http"},
    {"both agree", "10.0.0.1",
	{LIST("192.0.2.1"), FORWARDED("for=192.0.2.1;proto=https")},
	"192.0.2.1", "https"},
    {"both differ: one is the client's own", "10.0.0.1",
	{LIST("192.0.2.1"), FORWARDED("for=192.0.2.2;proto=https")},
	"10.0.0.1", "http"},
    {"a header of two lines: one may be the client's", "10.0.0.1",
	{LIST("192.0.2.9"), LIST("192.0.2.1")}, "10.0.0.1", "http"},
    {"two lines of Forwarded as well", "10.0.0.1",
	{FORWARDED("for=192.0.2.9"), FORWARDED("for=192.0.2.1")}, "10.0.0.1",
	"http"},
    {"one is broken", "10.0.0.1",
	{LIST("192.0.2.1"), FORWARDED("for=")}, "10.0.0.1", "http"},
};

START_TEST(the_client_is_whom_trusted_proxies_name)
{
	begin(clients[_i].peer, clients[_i].variables);
	ck_assert_msg(strcmp(request.client_addr, clients[_i].client) == 0,
	    "%s: %s", clients[_i].name, request.client_addr);
	ck_assert_msg(strcmp(request.scheme, clients[_i].scheme) == 0,
	    "%s: %s", clients[_i].name, request.scheme);
	ck_assert_str_eq(request.remote_addr, clients[_i].peer);
}
END_TEST

/* A client can only add to the left end, however much. */
START_TEST(a_long_list_is_read_from_its_end)
{
	static char list[8192];
	const char *const variables[] = {list, NULL};
	size_t i;

	(void)strcpy(list, "HTTP_X_FORWARDED_FOR=");
	for (i = 0; i < 500; i++)
		(void)strcat(list, "127.0.0.1, ");
	(void)strcat(list, "192.0.2.1, 10.0.0.2");
	begin("10.0.0.1", variables);
	ck_assert_str_eq(request.client_addr, "192.0.2.1");
}
END_TEST

/* Who may use the demo key and see the metrics. */
static const struct {
	const char *peer;
	const char *variables[2];
	bool local;
} locals[] = {
    {"127.0.0.1", {NULL}, true},
    {"::ffff:127.0.0.1", {NULL}, true},
    {"127.0.0.1", {LIST("192.0.2.1")}, false},
    {"127.0.0.1", {LIST("127.0.0.1")}, false},
    {"127.0.0.1", {FORWARDED("for=127.0.0.1")}, false},
    {"127.0.0.1", {"HTTP_X_REAL_IP=192.0.2.1"}, false},
    {"127.0.0.1", {"HTTP_VIA=1.1 proxy"}, false},
    {"127.0.0.1", {SCHEME("https")}, false},
    {"127.0.0.1", {LIST("")}, true},
    /* Trusted: it speaks for others, even when it does not say so. */
    {"::1", {NULL}, false},
    {"::1", {LIST("127.0.0.1")}, false},
    {"unix:", {NULL}, false},
    {"192.0.2.1", {NULL}, false},
    {"", {NULL}, false},
    {"localhost", {NULL}, false},
};

START_TEST(this_machine_asks_for_itself)
{
	begin(locals[_i].peer, locals[_i].variables);
	ck_assert_int_eq(request_is_local(&request), locals[_i].local);
}
END_TEST

Suite *
forwarded_suite(void)
{
	Suite *suite = suite_create("forwarded");
	TCase *tc = tcase_create("forwarded");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_loop_test(tc, the_client_is_whom_trusted_proxies_name, 0,
	    N(clients));
	tcase_add_test(tc, a_long_list_is_read_from_its_end);
	tcase_add_loop_test(tc, this_machine_asks_for_itself, 0, N(locals));
	suite_add_tcase(suite, tc);
	return suite;
}
