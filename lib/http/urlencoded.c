/* Percent-encoding; see the header. */
#include "http/urlencoded.h"

/* The byte at text.data[*i], decoded; *i moves behind it. */
static char
decoded_byte(struct span text, size_t *i, bool plus)
{
	char c = text.data[(*i)++];
	int high, low;

	if (c == '+' && plus)
		return ' ';
	if (c != '%' || text.len - *i < 2)
		return c;
	high = text_hex_value(text.data[*i]);
	low = text_hex_value(text.data[*i + 1]);
	if (high < 0 || low < 0)
		return c;
	*i += 2;
	return (char)(high * 16 + low);
}

struct span
percent_decode(struct arena *a, struct span text, bool plus)
{
	char *out = arena_alloc(a, text.len + 1);
	size_t i, n = 0;

	if (out == NULL)
		return SPAN_NONE;
	for (i = 0; i < text.len;)
		out[n++] = decoded_byte(text, &i, plus);
	out[n] = '\0';
	return (struct span){out, n};
}

bool
urlencoded_next(struct span *rest, struct span *name, struct span *value)
{
	struct span pair;

	while (rest->len > 0) {
		pair = span_cut(rest, '&');
		if (pair.len == 0)
			continue;
		*value = pair;
		*name = span_cut(value, '=');
		return true;
	}
	return false;
}

static bool
name_is(struct span encoded, const char *name)
{
	size_t i, n = 0;

	for (i = 0; i < encoded.len; n++)
		if (decoded_byte(encoded, &i, true) != name[n] ||
		    name[n] == '\0')
			return false;
	return name[n] == '\0';
}

bool
urlencoded_find_next(struct span *rest, const char *name, struct arena *a,
    struct span *value)
{
	struct span found, encoded;

	while (urlencoded_next(rest, &found, &encoded)) {
		if (!name_is(found, name))
			continue;
		*value = percent_decode(a, encoded, true);
		return true;
	}
	return false;
}

bool
urlencoded_find(struct span text, const char *name, struct arena *a,
    struct span *value)
{
	return urlencoded_find_next(&text, name, a, value);
}
