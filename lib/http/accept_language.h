/* Which of a few languages a client wants: Accept-Language (RFC 9110). */
#ifndef PARLANCE_ACCEPT_LANGUAGE_H
#define PARLANCE_ACCEPT_LANGUAGE_H

#include <stddef.h>

/*
 * The index of the language that a header wants most, of n codes such as
 * "en"; "de-CH" wants "de".  Of several wanted as much, the first named wins;
 * "*" wants `fallback`, and so does a header that is NULL, is not well formed
 * or names none of them.
 */
size_t accept_language(const char *header, const char *const *codes, size_t n,
    size_t fallback);

#endif
