/*
 * Prints site_parts.c; run when the programs are built, it is no part of
 * them.
 *
 *   site_make PAGE.html PAGE.css PAGE.js EMBED.js SCRIPT-HASH STYLE-HASH
 *       VERSION WORDS/en.txt ...
 *
 * PAGE.html is cut at its {{names}}; style and script are filled in here.  The
 * hashes are SHA-256 in hexadecimal, as sha256sum prints them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "site/site_words.h"

static const char *const names[] = {
#define X(name) #name,
    SITE_WORDS_SERVER(X) SITE_WORDS_PAGE(X)
#undef X
};

static void
fail(const char *what, const char *which)
{
	(void)fprintf(stderr, "site_make: %s: %s\n", which, what);
	exit(1);
}

/* A whole file; never freed, the process is short. */
static char *
read_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	size_t room = 1 << 20, n;
	char *text = malloc(room);

	if (f == NULL || text == NULL)
		fail("cannot be read", path);
	n = fread(text, 1, room - 1, f);
	if (n == room - 1 || ferror(f))
		fail("cannot be read, or is too long", path);
	(void)fclose(f);
	text[n] = '\0';
	return text;
}

static void
print_string(const char *text, size_t len)
{
	size_t i;

	(void)putchar('"');
	for (i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c == '\n')
			(void)printf("\\n\"\n\"");
		else if (c == '"' || c == '\\')
			(void)printf("\\%c", c);
		else if (c < ' ' || c >= 0x7f || c == '?')
			(void)printf("\\%03o", c);
		else
			(void)putchar(c);
	}
	(void)putchar('"');
}

static void
print_piece(const char *text, size_t len, const char *slot)
{
	(void)printf("{{");
	print_string(text, len);
	(void)printf(", %zu}, SITE_SLOT_", len);
	for (; *slot != '\0'; slot++)
		(void)putchar(*slot >= 'a' ? *slot - 'a' + 'A' : *slot);
	(void)printf("},\n");
}

/* Fills {{name}} with text. */
static char *
fill(const char *page, const char *name, const char *text)
{
	const char *at = strstr(page, name);
	size_t before;
	char *out;

	if (at == NULL)
		fail("not there", name);
	before = (size_t)(at - page);
	out = malloc(strlen(page) + strlen(text) + 1);
	if (out == NULL)
		fail("out of memory", name);
	memcpy(out, page, before);
	memcpy(out + before, text, strlen(text));
	(void)strcpy(out + before + strlen(text), at + strlen(name));
	return out;
}

static void
print_pages(const char *page)
{
	static const char *const slots[] = {"language", "direction", "title",
	    "noscript", "contact", "settings"};
	const char *at, *end;
	char slot[32];
	size_t i;

	(void)printf("const struct site_piece site_pieces[] = {\n");
	while ((at = strstr(page, "{{")) != NULL) {
		end = strstr(at, "}}");
		if (end == NULL || (size_t)(end - at) >= sizeof(slot))
			fail("{{ without }}", at);
		(void)snprintf(slot, sizeof(slot), "%.*s",
		    (int)(end - at - 2), at + 2);
		for (i = 0; i < sizeof(slots) / sizeof(slots[0]); i++)
			if (strcmp(slot, slots[i]) == 0)
				break;
		if (i == sizeof(slots) / sizeof(slots[0]))
			fail("no such slot", slot);
		print_piece(page, (size_t)(at - page), slot);
		page = end + 2;
	}
	print_piece(page, strlen(page), "end");
	(void)printf("};\n");
}

/* "'sha256-...'" of a hash in hexadecimal. */
static void
print_source(const char *name, const char *hex)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/";
	unsigned char bytes[33] = {0};
	unsigned value;
	size_t i;

	for (i = 0; i < 32; i++) {
		if (sscanf(hex + 2 * i, "%2x", &value) != 1)
			fail("no hash", name);
		bytes[i] = (unsigned char)value;
	}
	(void)printf("const char %s[] = \"'sha256-", name);
	for (i = 0; i < 33; i += 3) {
		value = (unsigned)bytes[i] << 16 | (unsigned)bytes[i + 1] << 8 |
		    bytes[i + 2];
		(void)printf("%c%c%c%c", digits[value >> 18],
		    digits[value >> 12 & 63], digits[value >> 6 & 63],
		    i == 30 ? '=' : digits[value & 63]);
	}
	(void)printf("'\";\n");
}

/* One language; every name once. */
static void
print_language(const char *path)
{
	const char *words[SITE_WORD_COUNT] = {NULL};
	const char *code = strrchr(path, '/');
	char *text = read_file(path), *line, *value;
	size_t i;

	code = code == NULL ? path : code + 1;
	for (line = strtok(text, "\n"); line != NULL;
	    line = strtok(NULL, "\n")) {
		if (line[0] == '#')
			continue;
		value = strstr(line, " = ");
		if (value == NULL)
			fail("no \" = \" in a line", path);
		*value = '\0';
		for (i = 0; i < SITE_WORD_COUNT; i++)
			if (strcmp(line, names[i]) == 0)
				break;
		if (i == SITE_WORD_COUNT || words[i] != NULL)
			fail("not known, or there already", line);
		words[i] = value + 3;
	}
	(void)printf("{\"%.2s\", {\n", code);
	for (i = 0; i < SITE_WORD_COUNT; i++) {
		if (words[i] == NULL)
			fail("is missing a name", path);
		print_string(words[i], strlen(words[i]));
		(void)printf(",\n");
	}
	(void)printf("}},\n");
	free(text);
}

int
main(int argc, char **argv)
{
	const char *embed, *slash;
	int i;

	if (argc != 8 + SITE_LANGUAGES)
		fail("wrong number of files", "arguments");
	(void)printf("#include \"site/site_parts.h\"\n");
	print_pages(fill(fill(read_file(argv[1]), "{{style}}",
	    read_file(argv[2])), "{{script}}", read_file(argv[3])));
	embed = read_file(argv[4]);
	(void)printf("const struct span site_embed = {");
	print_string(embed, strlen(embed));
	(void)printf(", %zu};\n", strlen(embed));
	print_source("site_script_source", argv[5]);
	print_source("site_style_source", argv[6]);
	(void)printf("const char site_version[] = \"%.16s\";\n", argv[7]);
	(void)printf("const struct site_language "
		     "site_languages[SITE_LANGUAGES] = {\n");
	for (i = 8; i < argc; i++)
		print_language(argv[i]);
	(void)printf("};\nconst char *const "
		     "site_language_codes[SITE_LANGUAGES] = {\n");
	for (i = 8; i < argc; i++) {
		slash = strrchr(argv[i], '/');
		(void)printf("\"%.2s\",\n",
		    slash == NULL ? argv[i] : slash + 1);
	}
	(void)printf("};\n");
	return ferror(stdout) != 0;
}
