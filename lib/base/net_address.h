/*
 * Network addresses as web servers write them, and ranges of them.
 *
 * An IPv4 address that comes as an IPv6 one (::ffff:192.0.2.1) is the IPv4
 * address.  A Unix socket is "unix:" and what a web server puts behind it.
 */
#ifndef PARLANCE_NET_ADDRESS_H
#define PARLANCE_NET_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

#define NET_TEXT 64 /* bytes of an address or a range as text, with the NUL */

enum net_kind { NET_UNIX, NET_IPV4, NET_IPV6 };

struct net_address {
	enum net_kind kind;
	unsigned char bytes[16]; /* 4 of them for NET_IPV4, 0 for NET_UNIX */
};

/* The addresses whose first `bits` bits are those of base. */
struct net_range {
	struct net_address base;
	int bits;
};

struct net_ranges {
	struct net_range *items;
	size_t n;
};

/* "192.0.2.1", "2001:db8::1", "unix:..."; no port, no brackets, no zone, no
 * blanks.  False: it is none. */
bool net_address_parse(struct span text, struct net_address *address);

/* The same as other programs may write it: also with a port, also in
 * brackets ("192.0.2.1:80", "[2001:db8::1]", "[2001:db8::1]:80"). */
bool net_address_parse_port(struct span text, struct net_address *address);

/* An address, or "192.0.2.0/24", "2001:db8::/32".  False: it is none, or
 * bits are set behind the prefix. */
bool net_range_parse(struct span text, struct net_range *range);

bool net_ranges_have(const struct net_ranges *ranges,
    const struct net_address *address);

/* This machine speaking to itself: 127.0.0.0/8, ::1, a Unix socket. */
bool net_address_is_loopback(const struct net_address *address);

/* In the one way that RFC 5952 has. */
void net_address_text(const struct net_address *address, char out[NET_TEXT]);

/* What one subscriber has: an IPv4 address, the /64 of an IPv6 one
 * ("2001:db8:0:1::/64"), since he may take any address of that. */
void net_address_subscriber(const struct net_address *address,
    char out[NET_TEXT]);

#endif
