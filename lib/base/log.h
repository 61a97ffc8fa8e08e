/*
 * One line a failure, on standard error: what failed, on what, why.  Never a
 * key, never a user's words.  Under a web server the lines land in its error
 * log.  Safe from several threads: a line is one write(2).
 */
#ifndef PARLANCE_LOG_H
#define PARLANCE_LOG_H

/* "parlance: " and the formatted text and LF.  Control characters in it are
 * written as '?', so nothing can forge a second line; at most 1 KB. */
void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same for things an operator may want to know that are no failure. */
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
