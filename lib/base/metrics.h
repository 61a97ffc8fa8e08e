/*
 * Counters of a deployment, for GET /metrics: kept in a small file of the
 * state folder that every process maps, so that CGI programs and several
 * responders count together and a restart loses nothing.  As the log they
 * are the process's own: before metrics_open(), and without it, counting
 * costs a comparison.  All of it is safe from several threads.
 */
#ifndef PARLANCE_METRICS_H
#define PARLANCE_METRICS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

/* X(NAME, prometheus name, labels, help): things that are counted. */
#define METRICS_COUNTERS(X)                                                    \
	X(PROMPT_TOKENS, "parlance_tokens_total", "kind=\"prompt\"",           \
	    "Tokens that turns used.")                                         \
	X(ANSWER_TOKENS, "parlance_tokens_total", "kind=\"completion\"", NULL) \
	X(UPSTREAM_RATE, "parlance_engine_errors_total",                       \
	    "kind=\"rate_limit\"", "Answers that engines failed to give.")     \
	X(UPSTREAM_REFUSED, "parlance_engine_errors_total",                    \
	    "kind=\"refused\"", NULL)                                          \
	X(UPSTREAM_UNREACHABLE, "parlance_engine_errors_total",                \
	    "kind=\"unreachable\"", NULL)                                      \
	X(UPSTREAM_TIMEOUT, "parlance_engine_errors_total",                    \
	    "kind=\"timeout\"", NULL)                                          \
	X(UPSTREAM_BROKEN, "parlance_engine_errors_total",                     \
	    "kind=\"broken\"", NULL)                                           \
	X(UPSTREAM_OTHER, "parlance_engine_errors_total", "kind=\"other\"",    \
	    NULL)

enum metrics_counter {
#define X(name, metric, labels, help) METRICS_##name,
	METRICS_COUNTERS(X)
#undef X
	METRICS_COUNTERS_END
};

/* X(NAME, prometheus name, help): spans of time. */
#define METRICS_TIMES(X)                                                       \
	X(REQUEST, "parlance_request_seconds",                                 \
	    "From a request's head to the end of its answer.")                 \
	X(FIRST_TOKEN, "parlance_first_token_seconds",                         \
	    "From a turn's start to its first words.")                         \
	X(STORE, "parlance_store_wait_seconds",                                \
	    "Waiting for the store, to write or for a connection.")

enum metrics_time {
#define X(name, metric, help) METRICS_TIME_##name,
	METRICS_TIMES(X)
#undef X
	METRICS_TIMES_END
};

/* The first letters of an answer's API. */
enum metrics_api { METRICS_BOTAPI, METRICS_MESSAGESAPI, METRICS_OTHER };
#define METRICS_APIS 3

/* Maps the file at path, making it when needed.  False: it cannot; nothing
 * is counted then.  Once open, further calls change nothing. */
bool metrics_open(const char *path);
bool metrics_on(void);

void metrics_add(enum metrics_counter counter, uint64_t n);
void metrics_observe_us(enum metrics_time time, int64_t us);
void metrics_request(enum metrics_api api, int status);
/* A stream opens (1) or closes (-1) in this process. */
void metrics_stream(int change);

/* Everything, as Prometheus text (version 0.0.4). */
void metrics_write(struct buf *out);

#endif
