/*
 * What `parlance doctor URL` asks this deployment through its web server:
 * what arrives here, and does a stream arrive there piece by piece?  A probe
 * carries a header made from the bytes of parlance.conf and the time, so only
 * who can read that file can ask.
 */
#ifndef PARLANCE_PROBE_H
#define PARLANCE_PROBE_H

#include "http/exchange.h"

#define PROBE_HEADER "X-Parlance-Probe"
#define PROBE_TOKEN 65   /* bytes with the NUL */
#define PROBE_TICKS 6    /* after the first event */
#define PROBE_TICK_MS 200

/* The header's value at this moment.  ERR_IO: the file cannot be read. */
enum err probe_token(const struct config *config, char out[PROBE_TOKEN])
    __attribute__((warn_unused_result));

/* Is the request a probe?  Then it is answered, or x->answer will be; *err
 * is as a handler's. */
bool probe_serve(struct exchange *x, enum err *err);

#endif
