/*
 * The charsets that texts are found in beside Unicode's, by their names on
 * the web, and their decoding.  Fixed tables, made when the program is built
 * (charsets_make.c); safe from any thread.
 */
#ifndef PARLANCE_CHARSETS_H
#define PARLANCE_CHARSETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/text.h"

/* X(name, iconv's name): one byte a character. */
#define CHARSETS_SINGLE(X)                                                     \
	X("windows-1250", "CP1250")                                            \
	X("windows-1251", "CP1251")                                            \
	X("windows-1252", "CP1252")                                            \
	X("windows-1253", "CP1253")                                            \
	X("windows-1254", "CP1254")                                            \
	X("windows-1255", "CP1255")                                            \
	X("windows-1256", "CP1256")                                            \
	X("windows-1257", "CP1257")                                            \
	X("windows-1258", "CP1258")                                            \
	X("ISO-8859-2", "ISO-8859-2")                                          \
	X("ISO-8859-3", "ISO-8859-3")                                          \
	X("ISO-8859-4", "ISO-8859-4")                                          \
	X("ISO-8859-5", "ISO-8859-5")                                          \
	X("ISO-8859-6", "ISO-8859-6")                                          \
	X("ISO-8859-7", "ISO-8859-7")                                          \
	X("ISO-8859-8", "ISO-8859-8")                                          \
	X("ISO-8859-10", "ISO-8859-10")                                        \
	X("ISO-8859-13", "ISO-8859-13")                                        \
	X("ISO-8859-14", "ISO-8859-14")                                        \
	X("ISO-8859-15", "ISO-8859-15")                                        \
	X("ISO-8859-16", "ISO-8859-16")                                        \
	X("KOI8-R", "KOI8-R")                                                  \
	X("KOI8-U", "KOI8-U")                                                  \
	X("IBM437", "CP437")                                                   \
	X("IBM850", "CP850")                                                   \
	X("IBM852", "CP852")                                                   \
	X("IBM855", "CP855")                                                   \
	X("IBM862", "CP862")                                                   \
	X("IBM865", "CP865")                                                   \
	X("IBM775", "CP775")                                                   \
	X("IBM866", "CP866")                                                   \
	X("macintosh", "MACINTOSH")                                            \
	X("x-mac-cyrillic", "MAC-CYRILLIC")                                    \
	X("mac-centraleurope", "MAC-CENTRALEUROPE")                            \
	X("windows-874", "CP874")                                              \
	X("VISCII", "VISCII")

/* One or two bytes a character, four in GB18030. */
#define CHARSETS_DOUBLE(X)                                                     \
	X("GB18030", "GB18030")                                                \
	X("Big5", "BIG5-HKSCS")                                                \
	X("Shift_JIS", "CP932")                                                \
	X("EUC-JP", "EUC-JP-MS")                                               \
	X("EUC-KR", "CP949")                                                   \
	X("EUC-TW", "EUC-TW")                                                  \
	X("JOHAB", "JOHAB")

#define CHARSET_PAIR(name, iconv) {name, iconv},
#define CHARSET_HIGH 128
#define CHARSET_LEAD_FIRST 0x81
#define CHARSET_LEADS 126 /* 81 to FE */
#define CHARSET_TRAIL_FIRST 0x30
#define CHARSET_TRAILS 207 /* 30 to FE */

struct charset;

/* By any of its usual names ("latin1", "cp1251", "gb2312"), letters alike,
 * marks between them ignored; NULL when it is not known.  What the web calls
 * ISO-8859-1 and ASCII is windows-1252. */
const struct charset *charset_find(struct span name);
const char *charset_name(const struct charset *c);
/* Is it UTF-8? */
bool charset_is_utf8(const struct charset *c);

/* Adds bytes as UTF-8; U+FFFD for what is no character of it.  Returns how
 * many of those there were. */
int64_t charset_decode(const struct charset *c, struct span bytes,
    struct buf *out);

#endif
