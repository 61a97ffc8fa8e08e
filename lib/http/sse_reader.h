/*
 * Reads text/event-stream (WHATWG HTML, "server-sent events") from any split
 * of its bytes: lines end in LF, CRLF or CR, a byte order mark in front is
 * skipped, comments are skipped, the `data:` lines of an event are joined by
 * LF.  The `id:` and `retry:` fields are of no use here and are skipped.
 */
#ifndef PARLANCE_SSE_READER_H
#define PARLANCE_SSE_READER_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/text.h"

enum sse_manner {
	SSE_STANDARD,
	/*
	 * As model servers write, in spite of the standard: a line that
	 * begins with { or [ is an event of its own (JSON lines, errors
	 * without "data: ", a bare [DONE]), and so is a `data:` line behind
	 * one that ends in }, when it begins with { or [ (no empty line
	 * between events); "error: ..." is an event of the type error; an
	 * event that has a type and no data is handed on, with data.data
	 * NULL.
	 */
	SSE_MODEL_SERVER
};

/* Lives in the caller; its members are not for others. */
struct sse_reader {
	enum sse_manner manner;
	struct buf line; /* the line whose end has not come yet */
	struct buf data; /* of the event that is being read */
	struct buf type;
	bool data_given;
	bool skip_lf;    /* a CR ended the last line */
	bool give_back;  /* data and type were handed out: empty them */
	unsigned bom;    /* bytes of the mark seen so far; 3 and more: past */
};

/* max_event: bytes of a line, and of an event's data. */
void sse_reader_init(struct sse_reader *r, enum sse_manner manner,
    size_t max_event);
void sse_reader_release(struct sse_reader *r);

struct sse_event {
	struct span type; /* "" for the default, "message" */
	struct span data; /* NULL inside: none at all (SSE_MODEL_SERVER) */
};

/*
 * Takes bytes from the front of *input until an event is complete or the
 * input is used up.
 *
 * ERR_NONE     *got tells whether *event is filled in; it is valid until the
 *              next call.  When true, *input may hold more: call again.
 * ERR_TOO_BIG, ERR_MEMORY  nothing more can be read.
 */
enum err sse_reader_next(struct sse_reader *r, struct span *input,
    struct sse_event *event, bool *got)
    __attribute__((warn_unused_result));

/* After the last byte: an event whose lines are whole but whose empty line
 * never came.  The standard drops it; some servers end with a bare
 * "data: [DONE]", so the caller decides.  As sse_reader_next; to be called
 * until *got is false. */
enum err sse_reader_finish(struct sse_reader *r, struct sse_event *event,
    bool *got) __attribute__((warn_unused_result));

#endif
