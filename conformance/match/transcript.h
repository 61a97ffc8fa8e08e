/* Exchanges as text a person reads: for -v, --save, and failures. */
#ifndef CHATCONF_TRANSCRIPT_H
#define CHATCONF_TRANSCRIPT_H

#include "base/buf.h"
#include "match/wire.h"

/* The whole exchange: request lines begin with "> ", the reply's with
 * "< ". */
void transcript_add(struct buf *out, const struct wire_request *request,
    const struct reply *reply);

/* Its two halves. */
void transcript_request(struct buf *out, const struct wire_request *request);
void transcript_reply(struct buf *out, const struct reply *reply);

/* "POST /v1/chat  {"bot_slug":...}", the body cut to a line's length. */
char *transcript_line(struct arena *a, const struct wire_request *request);

/* text with every occurrence of secret replaced. */
char *transcript_mask(struct arena *a, const char *text, const char *secret,
    const char *with);

#endif
