/*
 * Everything that cannot be judged yet waits in `held`; step() takes one
 * decision at a time from its front.  Once the answer has begun, pieces go
 * by without being held, except for the end of one that may be the beginning
 * of a closing tag.
 */
#include "engine/thinking.h"

#include <string.h>
#include <strings.h>

#include "chat/tokens.h"

struct thinking_tag {
	struct span open, close;
};

static const struct thinking_tag tags[] = {
    {SPAN("<think>"), SPAN("</think>")},
    {SPAN("<thinking>"), SPAN("</thinking>")},
    {SPAN("<thought>"), SPAN("</thought>")},
    {SPAN("<reasoning>"), SPAN("</reasoning>")},
    {SPAN("<seed:think>"), SPAN("</seed:think>")},
    {SPAN("[THINK]"), SPAN("[/THINK]")},
    {SPAN("\xE2\x97\x81think\xE2\x96\xB7"),
	SPAN("\xE2\x97\x81/think\xE2\x96\xB7")},
    {SPAN("<|begin_of_thought|>"), SPAN("<|end_of_thought|>")},
    {SPAN("<|channel|>analysis<|message|>"),
	SPAN("<|channel|>final<|message|>")},
};
#define N_TAGS (sizeof(tags) / sizeof(tags[0]))

enum match { MATCH_NO, MATCH_CUT, MATCH_YES };

void
thinking_init(struct thinking *t, enum thinking_manner manner, bool first,
    size_t held_max)
{
	*t = (struct thinking){.manner = manner, .first = first};
	buf_init(&t->held, held_max);
}

void
thinking_release(struct thinking *t)
{
	buf_release(&t->held);
}

enum thinking_manner
thinking_manner_of(const char *word)
{
	if (word != NULL && strcmp(word, "tags") == 0)
		return THINKING_TAGS;
	if (word != NULL && strcmp(word, "pass") == 0)
		return THINKING_PASS;
	return THINKING_HIDE;
}

/* Does s begin with the tag, or with a part of it and end there? */
static enum match
begins(struct span s, struct span tag)
{
	size_t n = s.len < tag.len ? s.len : tag.len;

	if (strncasecmp(s.data, tag.data, n) != 0)
		return MATCH_NO;
	return n < tag.len ? MATCH_CUT : MATCH_YES;
}

/* s begins with an opening or a closing tag. */
static enum match
find_tag(struct span s, bool closing, const struct thinking_tag **tag)
{
	enum match best = MATCH_NO, m;
	size_t i;

	for (i = 0; i < N_TAGS; i++) {
		m = begins(s, closing ? tags[i].close : tags[i].open);
		if (m == MATCH_YES) {
			*tag = &tags[i];
			return m;
		}
		if (m == MATCH_CUT)
			best = m;
	}
	return best;
}

static size_t
blanks(struct span s)
{
	size_t n = 0;

	while (n < s.len && text_is_blank(s.data[n]))
		n++;
	return n;
}

static struct span
from(struct span s, size_t at)
{
	return (struct span){s.data + at, s.len - at};
}

/* The first closing tag (this one, or any when NULL) in s at or behind `at`,
 * or the part of one at the end of s. */
static enum match
find_close(struct span s, size_t at, const struct thinking_tag *only,
    size_t *found, size_t *len)
{
	enum match m;
	size_t i;

	for (; at < s.len; at++) {
		if (s.data[at] != '<' && s.data[at] != '[' &&
		    s.data[at] != '\xE2')
			continue;
		for (i = 0; i < N_TAGS; i++) {
			if (only != NULL && only != &tags[i])
				continue;
			m = begins(from(s, at), tags[i].close);
			if (m == MATCH_NO)
				continue;
			*found = at;
			*len = tags[i].close.len;
			return m;
		}
	}
	return MATCH_NO;
}

static void
consume(struct thinking *t, size_t n)
{
	buf_consume(&t->held, n);
	t->searched = 0;
}

static void
forget(struct thinking *t, struct span thoughts)
{
	t->tokens += tokens_count(thoughts);
	t->thought = true;
}

static void
say(struct thinking *t, struct span text, struct buf *out)
{
	buf_add(out, text.data, text.len);
	if (blanks(text) < text.len)
		t->said = true;
}

/* A closing tag without an opening one counts when its line ends with it
 * and it is not quoted: prose may speak of tags. */
static enum match
is_lone(struct span s, size_t at, size_t len)
{
	struct span behind = from(s, at + len);
	size_t n = 0;

	if (at > 0 && strchr("`'\"", s.data[at - 1]) != NULL)
		return MATCH_NO;
	while (n < behind.len && (behind.data[n] == ' ' ||
	    behind.data[n] == '\t' || behind.data[n] == '\r'))
		n++;
	if (n == behind.len)
		return MATCH_CUT;
	return behind.data[n] == '\n' ? MATCH_YES : MATCH_NO;
}

/* Before the answer.  False when more is needed to go on. */
static bool
step_begin(struct thinking *t, struct span s, struct buf *out)
{
	size_t at = blanks(s), found, len;
	enum match m;

	if (t->state == THINKING_AFTER && at > 0) {
		consume(t, at);
		return true;
	}
	if (at == s.len)
		return false;
	m = find_tag(from(s, at), false, &t->tag);
	if (m == MATCH_YES) {
		t->state = THINKING_THOUGHT;
		t->thought = true;
		consume(t, at + t->tag->open.len);
		return true;
	}
	if (m == MATCH_NO && t->thought) { /* of what came in a field */
		m = find_tag(from(s, at), true, &t->tag);
		if (m == MATCH_YES) {
			consume(t, at + t->tag->close.len);
			t->state = THINKING_AFTER;
			return true;
		}
	}
	if (m == MATCH_CUT)
		return false;
	if (t->first && t->state == THINKING_BEGIN) {
		m = find_close(s, t->searched, NULL, &found, &len);
		if (m == MATCH_YES) {
			forget(t, (struct span){s.data, found});
			consume(t, found + len);
			t->state = THINKING_AFTER;
			return true;
		}
		t->searched = m == MATCH_CUT ? found : s.len;
		return false;
	}
	t->state = THINKING_ANSWER;
	if (t->thought) { /* nothing to look for any more */
		say(t, s, out);
		consume(t, s.len);
	}
	return true;
}

static bool
step_thought(struct thinking *t, struct span s)
{
	size_t found = s.len, len;
	enum match m = find_close(s, 0, t->tag, &found, &len);

	forget(t, (struct span){s.data, found});
	consume(t, m == MATCH_YES ? found + len : found);
	if (m == MATCH_YES)
		t->state = THINKING_AFTER;
	return m == MATCH_YES;
}

/* The answer, as long as it may turn out to be thoughts. */
static bool
step_answer(struct thinking *t, struct span s, struct buf *out)
{
	size_t found = s.len, len = 0, at = 0;
	enum match m;

	for (;;) {
		m = find_close(s, at, NULL, &found, &len);
		if (m == MATCH_YES)
			m = is_lone(s, found, len);
		if (m != MATCH_NO || found >= s.len)
			break;
		at = found + 1;
		found = s.len;
	}
	if (m == MATCH_YES) {
		forget(t, (struct span){s.data, found});
		buf_truncate(out, 0);
		t->retract = true;
		t->said = false;
		consume(t, found + len);
		t->state = THINKING_AFTER;
		return true;
	}
	/* A quote in front of the tag must stay to be seen. */
	if (m == MATCH_CUT && found > 0 &&
	    (unsigned char)s.data[found - 1] < 0x80)
		found--;
	say(t, (struct span){s.data, found}, out);
	consume(t, found);
	return false;
}

static bool
step(struct thinking *t, struct buf *out)
{
	struct span s = {buf_text(&t->held), t->held.len};

	if (s.len == 0)
		return false;
	switch (t->state) {
	case THINKING_BEGIN:
	case THINKING_AFTER:
		return step_begin(t, s, out);
	case THINKING_THOUGHT:
		return step_thought(t, s);
	case THINKING_ANSWER:
		return step_answer(t, s, out);
	}
	return false;
}

/* No closing tag can begin in it, nor go on. */
static bool
is_plain(const struct thinking *t, struct span piece)
{
	return t->held.len == 0 && memchr(piece.data, '<', piece.len) == NULL &&
	    memchr(piece.data, '[', piece.len) == NULL &&
	    memchr(piece.data, '\xE2', piece.len) == NULL;
}

static void
close_field(struct thinking *t, struct buf *out)
{
	if (t->field_open)
		buf_adds(out, "\n</think>");
	t->field_open = false;
}

void
thinking_text(struct thinking *t, struct span piece, struct buf *out)
{
	if (piece.len == 0)
		return;
	if (t->manner != THINKING_HIDE) {
		close_field(t, out);
		say(t, piece, out);
		return;
	}
	if (t->state == THINKING_ANSWER && (t->thought || is_plain(t, piece))) {
		say(t, piece, out);
		return;
	}
	buf_add(&t->held, piece.data, piece.len);
	while (step(t, out))
		continue;
	if (buf_err(&t->held) != ERR_NONE && out->err == ERR_NONE)
		out->err = buf_err(&t->held);
}

void
thinking_thought(struct thinking *t, struct span piece, struct buf *out)
{
	if (piece.len == 0)
		return;
	t->thought = true;
	if (t->manner != THINKING_TAGS) {
		t->tokens += tokens_count(piece);
		return;
	}
	if (!t->field_open)
		buf_adds(out, "<think>\n");
	t->field_open = true;
	buf_add(out, piece.data, piece.len);
}

void
thinking_end(struct thinking *t, bool cut_short, struct buf *out)
{
	struct span s = {buf_text(&t->held), t->held.len};

	close_field(t, out);
	if (t->state == THINKING_THOUGHT || (t->first && cut_short &&
	    t->state == THINKING_BEGIN))
		forget(t, s);
	else if (t->state != THINKING_AFTER || blanks(s) < s.len)
		say(t, s, out);
	buf_reset(&t->held);
}

struct span
thinking_strip(struct span answer)
{
	const struct thinking_tag *tag;
	struct span s = answer;
	size_t found, len, at;
	bool cut = false;

	while (s.len > 0 && (at = blanks(s)) < s.len &&
	    find_tag(from(s, at), false, &tag) == MATCH_YES) {
		cut = true;
		at += tag->open.len;
		if (find_close(s, at, tag, &found, &len) != MATCH_YES)
			return (struct span){s.data, 0};
		s = from(s, found + len);
	}
	for (at = 0; !cut && find_close(s, at, NULL, &found, &len) ==
	    MATCH_YES; at = found + 1) {
		if (is_lone(s, found, len) != MATCH_YES)
			continue;
		s = from(s, found + len);
		cut = true;
	}
	return cut ? from(s, blanks(s)) : answer;
}
