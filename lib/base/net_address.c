/* Addresses by inet_pton(3) and inet_ntop(3), which are strict about IPv4:
 * four decimal numbers. */
#include "base/net_address.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static const unsigned char mapped[12] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static int
bits_of(const struct net_address *a)
{
	static const int bits[] = {[NET_UNIX] = 0, [NET_IPV4] = 32,
	    [NET_IPV6] = 128};

	return bits[a->kind];
}

bool
net_address_parse(struct span text, struct net_address *address)
{
	char copy[INET6_ADDRSTRLEN];

	*address = (struct net_address){0};
	if (span_starts(text, "unix:"))
		return true;
	if (text.len == 0 || text.len >= sizeof(copy) ||
	    memchr(text.data, 0, text.len) != NULL)
		return false;
	memcpy(copy, text.data, text.len);
	copy[text.len] = '\0';
	if (inet_pton(AF_INET, copy, address->bytes) == 1) {
		address->kind = NET_IPV4;
		return true;
	}
	if (inet_pton(AF_INET6, copy, address->bytes) != 1)
		return false;
	address->kind = NET_IPV6;
	if (memcmp(address->bytes, mapped, sizeof(mapped)) == 0) {
		address->kind = NET_IPV4;
		memmove(address->bytes, address->bytes + sizeof(mapped), 4);
		memset(address->bytes + 4, 0, sizeof(mapped));
	}
	return true;
}

static bool
is_port(struct span text)
{
	int64_t port;

	return text_to_int64(text, 0, 65535, &port) &&
	    text_is_digit(text.data[0]);
}

bool
net_address_parse_port(struct span text, struct net_address *address)
{
	struct span rest = text, front = span_cut(&rest, ':');

	if (text.len > 0 && text.data[0] == '[') {
		rest = (struct span){text.data + 1, text.len - 1};
		front = span_cut(&rest, ']');
		if (rest.data == NULL || (rest.len > 0 &&
		    (rest.data[0] != ':' || !is_port((struct span){
			rest.data + 1, rest.len - 1}))))
			return false;
		/* Brackets are IPv6's. */
		return memchr(front.data, ':', front.len) != NULL &&
		    !span_starts(front, "unix:") &&
		    net_address_parse(front, address);
	}
	if (net_address_parse(text, address))
		return true;
	return rest.data != NULL && is_port(rest) &&
	    net_address_parse(front, address);
}

/* Are the bits behind the prefix all 0? */
static bool
ends_in_zeros(const struct net_range *r)
{
	int bit;

	for (bit = r->bits; bit < bits_of(&r->base); bit++)
		if ((r->base.bytes[bit / 8] & (0x80 >> bit % 8)) != 0)
			return false;
	return true;
}

bool
net_range_parse(struct span text, struct net_range *range)
{
	struct span rest = text, front = span_cut(&rest, '/');
	int64_t bits;

	if (span_starts(text, "unix:"))
		front = text, rest = SPAN_NONE;
	if (!net_address_parse(front, &range->base))
		return false;
	range->bits = bits_of(&range->base);
	if (rest.data == NULL)
		return true;
	if (!text_to_int64(rest, 0, 128, &bits))
		return false;
	/* ::ffff:192.0.2.0/120 is 192.0.2.0/24. */
	if (range->base.kind == NET_IPV4 &&
	    memchr(front.data, ':', front.len) != NULL)
		bits -= 96;
	if (bits < 0 || bits > bits_of(&range->base))
		return false;
	range->bits = (int)bits;
	return ends_in_zeros(range);
}

static bool
has(const struct net_range *r, const struct net_address *a)
{
	int whole = r->bits / 8, rest = r->bits % 8;
	unsigned char mask = (unsigned char)(0xff << (8 - rest));

	if (r->base.kind != a->kind ||
	    memcmp(r->base.bytes, a->bytes, (size_t)whole) != 0)
		return false;
	return rest == 0 ||
	    ((r->base.bytes[whole] ^ a->bytes[whole]) & mask) == 0;
}

bool
net_ranges_have(const struct net_ranges *ranges,
    const struct net_address *address)
{
	size_t i;

	for (i = 0; i < ranges->n; i++)
		if (has(&ranges->items[i], address))
			return true;
	return false;
}

bool
net_address_is_loopback(const struct net_address *address)
{
	static const unsigned char one[16] = {[15] = 1};

	switch (address->kind) {
	case NET_UNIX:
		return true;
	case NET_IPV4:
		return address->bytes[0] == 127;
	case NET_IPV6:
		break;
	}
	return memcmp(address->bytes, one, sizeof(one)) == 0;
}

void
net_address_text(const struct net_address *address, char out[NET_TEXT])
{
	if (address->kind == NET_UNIX || inet_ntop(address->kind == NET_IPV4
	    ? AF_INET : AF_INET6, address->bytes, out, NET_TEXT) == NULL)
		(void)snprintf(out, NET_TEXT, "unix:");
}

void
net_address_subscriber(const struct net_address *address, char out[NET_TEXT])
{
	struct net_address network = *address;
	size_t len;

	if (address->kind == NET_IPV6)
		memset(network.bytes + 8, 0, 8);
	net_address_text(&network, out);
	len = strlen(out);
	if (address->kind == NET_IPV6)
		(void)snprintf(out + len, NET_TEXT - len, "/64");
}
