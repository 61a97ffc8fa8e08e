/*
 * Writes charsets.inc: the tables of the charsets that texts are found in,
 * as the C library's iconv has them here.  The programs do not ask iconv
 * themselves: the static one could not load its modules on another machine,
 * and all programs must read a text alike.
 */
#include <iconv.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "documents/charsets.h"

/* Our name, iconv's name. */
static const char *const singles[][2] = {CHARSETS_SINGLE(CHARSET_PAIR)};
static const char *const doubles[][2] = {CHARSETS_DOUBLE(CHARSET_PAIR)};

/* The one code of these bytes below 0x10000; 0: none, or several. */
static unsigned int
code_of(iconv_t cd, const unsigned char *bytes, size_t len)
{
	char in[4];
	uint32_t out[4] = {0};
	char *from = in, *to = (char *)out;
	size_t left = len, room = sizeof(out);

	memcpy(in, bytes, len);
	(void)iconv(cd, NULL, NULL, NULL, NULL);
	if (iconv(cd, &from, &left, &to, &room) == (size_t)-1 || left > 0)
		return 0;
	(void)iconv(cd, NULL, NULL, &to, &room);
	if (room != sizeof(out) - 4 || out[0] > 0xFFFF)
		return 0;
	return out[0];
}

static iconv_t
open_charset(const char *name)
{
	iconv_t cd = iconv_open("UTF-32LE", name);

	if (cd == (iconv_t)-1) {
		(void)fprintf(stderr, "iconv does not know %s\n", name);
		exit(EXIT_FAILURE);
	}
	return cd;
}

static void
print_code(unsigned int code, size_t at)
{
	(void)printf("%s0x%X,", at % 10 == 0 ? "\n" : "", code);
}

static void
print_single(const char *name)
{
	iconv_t cd = open_charset(name);
	unsigned char byte;
	size_t i;

	(void)printf("{");
	for (i = 0; i < CHARSET_HIGH; i++) {
		byte = (unsigned char)(0x80 + i);
		print_code(code_of(cd, &byte, 1), i);
	}
	(void)printf("},\n");
	(void)iconv_close(cd);
}

static void
print_double(const char *name)
{
	iconv_t cd = open_charset(name);
	unsigned char bytes[2];
	size_t lead, trail;

	(void)printf("{");
	for (lead = 0; lead < CHARSET_LEADS; lead++)
		for (trail = 0; trail < CHARSET_TRAILS; trail++) {
			bytes[0] = (unsigned char)(CHARSET_LEAD_FIRST + lead);
			bytes[1] = (unsigned char)(CHARSET_TRAIL_FIRST + trail);
			print_code(code_of(cd, bytes, 2), trail);
		}
	(void)printf("},\n");
	(void)iconv_close(cd);
}

/* GB18030's codes of four bytes, as runs: where each begins, from 0 for
 * 81 30 81 30, and its first code. */
static void
print_fours(void)
{
	iconv_t cd = open_charset("GB18030");
	unsigned int code, last = 0;
	unsigned char b[4];
	uint32_t i;

	for (i = 0; i < 39420; i++) {
		b[0] = (unsigned char)(0x81 + i / 12600);
		b[1] = (unsigned char)(0x30 + i / 1260 % 10);
		b[2] = (unsigned char)(0x81 + i / 10 % 126);
		b[3] = (unsigned char)(0x30 + i % 10);
		code = code_of(cd, b, 4);
		if (i == 0 || code != last + 1)
			(void)printf("{%u,0x%X},\n", (unsigned int)i, code);
		last = code;
	}
	(void)iconv_close(cd);
}

int
main(void)
{
	size_t i;

	(void)printf("static const uint16_t single_codes[]"
		     "[CHARSET_HIGH] = {\n");
	for (i = 0; i < sizeof(singles) / sizeof(singles[0]); i++)
		print_single(singles[i][1]);
	(void)printf("};\nstatic const uint16_t double_codes[]"
		     "[CHARSET_LEADS * CHARSET_TRAILS] = {\n");
	for (i = 0; i < sizeof(doubles) / sizeof(doubles[0]); i++)
		print_double(doubles[i][1]);
	(void)printf("};\nstatic const struct four four_runs[] = {\n");
	print_fours();
	(void)printf("};\n");
	return 0;
}
