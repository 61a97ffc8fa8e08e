/* At most a high surrogate (three bytes) and three bytes behind it wait. */
#include "engine/text_join.h"

#include <string.h>

#include "base/utf8.h"

#define REPLACEMENT 0xFFFD

static bool
is_high(uint32_t c)
{
	return c >= 0xD800 && c < 0xDC00;
}

static bool
is_low(uint32_t c)
{
	return c >= 0xDC00 && c < 0xE000;
}

static void
put(struct buf *out, uint32_t c)
{
	char bytes[4];

	if (c == UTF8_INVALID || is_high(c) || is_low(c))
		c = REPLACEMENT;
	buf_add(out, bytes, utf8_put(bytes, c));
}

/* How many bytes a character has that begins with this one; 1 for bytes
 * that begin none. */
static size_t
length_of(unsigned char lead)
{
	if (lead >= 0xF0 && lead <= 0xF4)
		return 4;
	if (lead >= 0xE0)
		return lead < 0xF0 ? 3 : 1;
	return lead >= 0xC2 ? 2 : 1;
}

/* Are s's bytes from `at` to its end only the beginning of a character? */
static bool
is_cut(struct span s, size_t at)
{
	size_t i, left = s.len - at;

	if (left >= length_of((unsigned char)s.data[at]))
		return false;
	for (i = 1; i < left; i++)
		if (((unsigned char)s.data[at + i] & 0xC0) != 0x80)
			return false;
	return true;
}

/* One character from s; false when it must wait for more. */
static bool
step(struct span s, size_t *at, struct buf *out)
{
	size_t behind = *at;
	uint32_t c, low;

	if (is_cut(s, *at))
		return false;
	c = utf8_next(s, &behind);
	if (is_high(c)) {
		if (behind == s.len || is_cut(s, behind))
			return false;
		*at = behind;
		low = utf8_next(s, &behind);
		if (is_low(low)) {
			*at = behind;
			c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
		}
	} else {
		*at = behind;
	}
	put(out, c);
	return true;
}

static void
hold(struct text_join *j, struct span s)
{
	j->n = s.len < sizeof(j->held) ? s.len : sizeof(j->held);
	memmove(j->held, s.data, j->n);
}

void
text_join_add(struct text_join *j, struct span piece, struct buf *out)
{
	char front[2 * sizeof(j->held)];
	struct span s;
	size_t at, used = 0;

	/* The held bytes with a few new ones in front of the rest. */
	while (j->n > 0 && used < piece.len) {
		j->held[j->n++] = piece.data[used++];
		memcpy(front, j->held, j->n);
		s = (struct span){front, j->n};
		for (at = 0; at < s.len && step(s, &at, out);)
			continue;
		hold(j, (struct span){s.data + at, s.len - at});
	}
	if (used == piece.len)
		return;
	s = (struct span){piece.data + used, piece.len - used};
	for (at = 0; at < s.len && step(s, &at, out);)
		continue;
	hold(j, (struct span){s.data + at, s.len - at});
}

void
text_join_end(struct text_join *j, struct buf *out)
{
	struct span s = {j->held, j->n};
	size_t at = 0;

	/* A high surrogate and the beginning of a character are two. */
	while (at < s.len) {
		put(out, REPLACEMENT);
		if (is_cut(s, at))
			break;
		(void)utf8_next(s, &at);
	}
	j->n = 0;
}
