/*
 * Whose request a proxy passes on: X-Forwarded-For, X-Forwarded-Proto and
 * Forwarded (RFC 7239).
 *
 * Anybody can write these headers, so they count from trusted proxies alone.
 * Read from the right, where the nearest proxy writes, the first address
 * that is no trusted proxy's is the client's; what stands left of it is only
 * what he says.  A proxy manages one of the two headers and passes the other
 * on as the client wrote it: when both are there they must agree.
 */
#ifndef PARLANCE_FORWARDED_H
#define PARLANCE_FORWARDED_H

#include "base/net_address.h"
#include "http/request.h"

/*
 * When a trusted proxy sent the request: r->proxied is set, r->scheme is
 * what it tells, and r->client_addr the client that it names; of a proxy that
 * names nobody, or not clearly, its own.  Else nothing changes.  ERR_MEMORY.
 */
enum err forwarded_apply(struct request *r, const struct net_ranges *trusted)
    __attribute__((warn_unused_result));

/*
 * Does this machine ask for itself?  The peer is a loopback address or a
 * Unix socket, is not a trusted proxy, and no header says that the request
 * was passed on: a proxy on this machine speaks for others.
 */
bool request_is_local(const struct request *r);
/* Does any header say that the request was passed on? */
bool request_is_passed_on(const struct request *r);

#endif
