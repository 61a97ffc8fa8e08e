/* What a program says of itself. */
#ifndef PARLANCE_VERSION_H
#define PARLANCE_VERSION_H

/* Prints "PROGRAM 0.1.0", and a line about libcurl, with the TLS library
 * that it brings: which one it is decides about security updates. */
void version_print(const char *program);

/* "libcurl/7.88.1 OpenSSL/3.0.17", or NULL when it cannot be loaded (logged).
 * Not for several threads at a time. */
const char *version_libcurl(void);

#endif
