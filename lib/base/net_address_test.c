#include "base/net_address.h"

#include <check.h>

Suite *net_address_suite(void);

/* What is read, with a port allowed or not, and how it is written. */
static const struct {
	const char *text, *plain, *with_port, *subscriber;
} addresses[] = {
    {"192.0.2.1", "192.0.2.1", "192.0.2.1", "192.0.2.1"},
    {"::ffff:192.0.2.1", "192.0.2.1", "192.0.2.1", "192.0.2.1"},
    {"2001:DB8:0:1:2::3", "2001:db8:0:1:2::3", "2001:db8:0:1:2::3",
	"2001:db8:0:1::/64"},
    {"::1", "::1", "::1", "::/64"},
    {"unix:", "unix:", "unix:", "unix:"},
    {"unix:/run/a.sock", "unix:", "unix:", "unix:"},
    {"192.0.2.1:80", NULL, "192.0.2.1", "192.0.2.1"},
    {"[2001:db8::1]", NULL, "2001:db8::1", "2001:db8::/64"},
    {"[2001:db8::1]:80", NULL, "2001:db8::1", "2001:db8::/64"},
    {"", NULL, NULL, NULL},
    {"192.0.2", NULL, NULL, NULL},
    {"192.0.2.1 ", NULL, NULL, NULL},
    {"192.0.2.256", NULL, NULL, NULL},
    {"0300.0.2.1", NULL, NULL, NULL},
    {"192.0.2.1:", NULL, NULL, NULL},
    {"192.0.2.1:65536", NULL, NULL, NULL},
    {"192.0.2.1:-1", NULL, NULL, NULL},
    {"[192.0.2.1]", NULL, NULL, NULL},
    {"[unix:]", NULL, NULL, NULL},
    {"[2001:db8::1", NULL, NULL, NULL},
    {"[2001:db8::1]80", NULL, NULL, NULL},
    {"fe80::1%eth0", NULL, NULL, NULL},
    {"unknown", NULL, NULL, NULL},
    {"_hidden", NULL, NULL, NULL},
    {"localhost", NULL, NULL, NULL},
    {":", NULL, NULL, NULL},
    {"[]", NULL, NULL, NULL},
};

START_TEST(addresses_are_read_and_written)
{
	struct span text = span_of(addresses[_i].text);
	struct net_address a;
	char out[NET_TEXT];

	ck_assert_int_eq(net_address_parse(text, &a),
	    addresses[_i].plain != NULL);
	if (addresses[_i].plain != NULL) {
		net_address_text(&a, out);
		ck_assert_str_eq(out, addresses[_i].plain);
	}
	ck_assert_int_eq(net_address_parse_port(text, &a),
	    addresses[_i].with_port != NULL);
	if (addresses[_i].with_port == NULL)
		return;
	net_address_text(&a, out);
	ck_assert_str_eq(out, addresses[_i].with_port);
	net_address_subscriber(&a, out);
	ck_assert_str_eq(out, addresses[_i].subscriber);
}
END_TEST

static const struct {
	const char *range, *inside, *outside; /* inside NULL: it is none */
} ranges[] = {
    {"192.0.2.0/24", "192.0.2.255", "192.0.3.0"},
    {"192.0.2.4/30", "192.0.2.7", "192.0.2.8"},
    {"192.0.2.1", "192.0.2.1", "192.0.2.2"},
    {"192.0.2.1", "::ffff:192.0.2.1", "::ffff:192.0.2.2"},
    {"::ffff:192.0.2.0/120", "192.0.2.9", "192.0.3.9"},
    {"0.0.0.0/0", "8.8.8.8", "2001:db8::1"},
    {"::/0", "2001:db8::1", "8.8.8.8"},
    {"2001:db8::/33", "2001:db8:7fff::1", "2001:db8:8000::1"},
    {"unix:", "unix:/run/web.sock", "127.0.0.1"},
    {"unix:/run/x", "unix:", "::1"},
    {"192.0.2.1/24", NULL, NULL},
    {"192.0.2.0/33", NULL, NULL},
    {"192.0.2.0/", NULL, NULL},
    {"192.0.2.0/-1", NULL, NULL},
    {"192.0.2.0/2 4", NULL, NULL},
    {"2001:db8::/129", NULL, NULL},
    {"::ffff:192.0.2.0/24", NULL, NULL},
    {"proxy.example", NULL, NULL},
    {"", NULL, NULL},
};

START_TEST(ranges_have_what_is_inside)
{
	struct net_address a;
	struct net_range range;
	struct net_ranges all = {&range, 1};

	ck_assert_int_eq(net_range_parse(span_of(ranges[_i].range), &range),
	    ranges[_i].inside != NULL);
	if (ranges[_i].inside == NULL)
		return;
	ck_assert(net_address_parse(span_of(ranges[_i].inside), &a));
	ck_assert(net_ranges_have(&all, &a));
	ck_assert(net_address_parse(span_of(ranges[_i].outside), &a));
	ck_assert(!net_ranges_have(&all, &a));
	all.n = 0;
	ck_assert(!net_ranges_have(&all, &a));
}
END_TEST

static const struct {
	const char *text;
	bool loopback;
} loopbacks[] = {{"127.0.0.1", true}, {"127.255.0.9", true}, {"::1", true},
    {"::ffff:127.0.0.1", true}, {"unix:", true}, {"::2", false},
    {"128.0.0.1", false}, {"0.0.0.0", false}, {"::", false}};

START_TEST(this_machine_is_known)
{
	struct net_address a;

	ck_assert(net_address_parse(span_of(loopbacks[_i].text), &a));
	ck_assert_int_eq(net_address_is_loopback(&a), loopbacks[_i].loopback);
}
END_TEST

#define N(rows) (int)(sizeof(rows) / sizeof((rows)[0]))

Suite *
net_address_suite(void)
{
	Suite *suite = suite_create("net_address");
	TCase *tc = tcase_create("net_address");

	tcase_add_loop_test(tc, addresses_are_read_and_written, 0,
	    N(addresses));
	tcase_add_loop_test(tc, ranges_have_what_is_inside, 0, N(ranges));
	tcase_add_loop_test(tc, this_machine_is_known, 0, N(loopbacks));
	suite_add_tcase(suite, tc);
	return suite;
}
