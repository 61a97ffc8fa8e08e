/* UUIDs; the random ones come from getrandom(2), 122 bits of it. */
#include "base/uuid.h"

#include <errno.h>
#include <nettle/sha2.h>
#include <string.h>
#include <sys/random.h>

enum err
random_bytes(void *out, size_t len)
{
	char *p = out;

	while (len > 0) {
		ssize_t n = getrandom(p, len, 0);

		if (n < 0) {
			if (errno == EINTR)
				continue;
			return ERR_IO;
		}
		p += n;
		len -= (size_t)n;
	}
	return ERR_NONE;
}

static void
format(const unsigned char bytes[16], char out[UUID_TEXT])
{
	static const char digits[] = "0123456789abcdef";
	size_t i, at = 0;

	for (i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			out[at++] = '-';
		out[at++] = digits[bytes[i] >> 4];
		out[at++] = digits[bytes[i] & 15];
	}
	out[at] = '\0';
}

static void
mark(unsigned char bytes[16], unsigned char version)
{
	bytes[6] = (unsigned char)((bytes[6] & 0x0F) | version << 4);
	bytes[8] = (unsigned char)((bytes[8] & 0x3F) | 0x80);
}

enum err
uuid_random(char out[UUID_TEXT])
{
	unsigned char bytes[16];
	enum err err = random_bytes(bytes, sizeof(bytes));

	if (err != ERR_NONE)
		return err;
	mark(bytes, 4);
	format(bytes, out);
	return ERR_NONE;
}

void
uuid_from_name(const char *space, struct span name, char out[UUID_TEXT])
{
	unsigned char digest[SHA256_DIGEST_SIZE];
	struct sha256_ctx hash;

	sha256_init(&hash);
	/* The NUL keeps "ab"+"c" apart from "a"+"bc". */
	sha256_update(&hash, strlen(space) + 1, (const uint8_t *)space);
	sha256_update(&hash, name.len, (const uint8_t *)name.data);
	sha256_digest(&hash, sizeof(digest), digest);
	mark(digest, 8);
	format(digest, out);
}

bool
uuid_is_hyphenated(struct span s)
{
	size_t i;

	if (s.len != 36)
		return false;
	for (i = 0; i < 36; i++) {
		if (i == 8 || i == 13 || i == 18 || i == 23) {
			if (s.data[i] != '-')
				return false;
		} else if (!text_is_hex(s.data[i])) {
			return false;
		}
	}
	return true;
}

bool
uuid_parse(struct span s, char out[UUID_TEXT])
{
	unsigned char bytes[16] = {0};
	size_t i, n = 0;

	if (span_starts(s, "urn:"))
		s = (struct span){s.data + 4, s.len - 4};
	if (span_starts(s, "uuid:"))
		s = (struct span){s.data + 5, s.len - 5};
	while (s.len > 0 && (s.data[0] == '{' || s.data[0] == '}'))
		s = (struct span){s.data + 1, s.len - 1};
	while (s.len > 0 &&
	    (s.data[s.len - 1] == '{' || s.data[s.len - 1] == '}'))
		s.len--;
	for (i = 0; i < s.len; i++) {
		int value = text_hex_value(s.data[i]);

		if (s.data[i] == '-')
			continue;
		if (value < 0 || n == 32)
			return false;
		bytes[n / 2] = (unsigned char)(bytes[n / 2] << 4 | value);
		n++;
	}
	if (n != 32)
		return false;
	format(bytes, out);
	return true;
}
