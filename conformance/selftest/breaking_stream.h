/* Breaking streams, and relations between values. */
#ifndef CHATCONF_BREAKING_STREAM_H
#define CHATCONF_BREAKING_STREAM_H

#include "breaking.h"

/* Breaks what the `sse` part of the expectation describes. */
void selftest_break_stream(struct testing *t);
/* The same for `holds`. */
void selftest_break_holds(struct testing *t);

#endif
