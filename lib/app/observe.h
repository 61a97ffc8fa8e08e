/* What an operator sees of requests: a line of the log for each, counters,
 * GET /metrics.  All of it is off unless [server] says so. */
#ifndef PARLANCE_OBSERVE_H
#define PARLANCE_OBSERVE_H

#include "http/exchange.h"

/* Gets ready what the configuration wants; may be called again. */
void observe_begin(const struct config *config);

/* GET /metrics, when it is asked for and allowed.  True: answered, or *err
 * says why not. */
bool observe_serve(struct exchange *x, enum err *err);

/* The request has ended; it began at this moment. */
void observe_end(const struct exchange *x, int64_t began_us);

#endif
