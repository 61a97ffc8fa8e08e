/* Names for conversations. */
#include "messagesapi/title.h"

#include "base/utf8.h"

struct span
title_from_query(struct arena *arena, struct span query)
{
	struct span head = span_trim(query);
	const char *text;
	char *copy;
	size_t i;
	bool cut;

	cut = utf8_prefix(head, 51).len > utf8_prefix(head, 50).len;
	if (cut)
		head = utf8_prefix(head, 47);
	copy = arena_strndup(arena, head.len == 0 ? "" : head.data, head.len);
	if (copy == NULL)
		return SPAN_NONE;
	for (i = 0; i < head.len; i++)
		if (text_is_blank(copy[i]))
			copy[i] = ' ';
	if (!cut)
		return (struct span){copy, head.len};
	text = arena_printf(arena, "%s...", copy);
	return text == NULL ? SPAN_NONE : span_of(text);
}
