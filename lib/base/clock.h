/* The time, as an input: tests set it, so that output can be compared. */
#ifndef PARLANCE_CLOCK_H
#define PARLANCE_CLOCK_H

#include <stdint.h>

/* Milliseconds that never jump, from an arbitrary start. For waiting. */
int64_t clock_monotonic_ms(void);
/* Microseconds of the same clock. For latencies. */
int64_t clock_monotonic_us(void);
/* Seconds since 1970-01-01 UTC. */
int64_t clock_now_s(void);
/* Microseconds since 1970-01-01 UTC: orders rows within a second. */
int64_t clock_now_us(void);

/* For tests: pins clock_now_s/us to this many microseconds since 1970; a
 * negative value gives the real time back. Not for use between threads. */
void clock_pin_us(int64_t us);

#endif
