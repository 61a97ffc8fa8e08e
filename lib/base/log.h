/*
 * One line an event, on standard error: what failed, on what, why.  Never a
 * key, never a user's words.  Under a web server the lines land in its error
 * log.  Safe from several threads: a line is one write(2).
 */
#ifndef PARLANCE_LOG_H
#define PARLANCE_LOG_H

/*
 * "parlance: error: ", the formatted text and LF.  Control characters in it
 * are written as '?', so nothing can forge a second line; at most 1 KB.
 *
 * error: a request or a piece of work failed, or the program cannot start.
 */
void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* warning: it went on, but not as configured; somebody should look. */
void log_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* info: what an operator may want to know and need not act on. */
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
