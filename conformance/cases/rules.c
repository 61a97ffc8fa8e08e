/* See rules.h. */
#include "rules.h"

#include <string.h>

#include "casefolder.h"
#include "match/mem.h"

/* What stands behind the anchor, up to the next one or the next heading. */
static struct span
behind(struct span text, const char *anchor)
{
	const char *at = memmem(text.data, text.len, anchor, strlen(anchor));
	const char *end, *next;
	struct span rest;

	if (at == NULL)
		return SPAN_NONE;
	at += strlen(anchor);
	rest = (struct span){at, text.len - (size_t)(at - text.data)};
	end = memmem(rest.data, rest.len, "<a id=", 6);
	next = memmem(rest.data, rest.len, "\n## ", 4);
	if (end == NULL || (next != NULL && next < end))
		end = next;
	if (end != NULL)
		rest.len = (size_t)(end - rest.data);
	return span_trim(rest);
}

/* Markdown's marks are left out. */
static void
add_plain(struct buf *out, struct span rule)
{
	size_t i;

	for (i = 0; i < rule.len; i++)
		if (rule.data[i] != '*')
			buf_addc(out, rule.data[i]);
	buf_addc(out, '\n');
}

const char *
rules_text(struct arena *a, const char *folder, const char *source)
{
	struct buf b = BUF_INIT(MEM_TEXT_MAX);
	const char *at = source, *hash, *end;
	struct span text, rule;

	while ((at = strstr(at, "RULES-")) != NULL) {
		hash = strchr(at, '#');
		if (hash == NULL)
			break;
		end = hash + 1;
		while (text_is_alnum(*end) || *end == '-')
			end++;
		text = casefolder_read(a,
		    mem_printf(a, "%s/%.*s", folder, (int)(hash - at), at));
		rule = text.data == NULL
		    ? SPAN_NONE
		    : behind(text,
			  mem_printf(a, "<a id=\"%.*s\"></a>",
			      (int)(end - hash - 1), hash + 1));
		if (rule.data != NULL)
			add_plain(&b, rule);
		at = end;
	}
	return mem_take(a, &b).data;
}
