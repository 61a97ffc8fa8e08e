/*
 * Unicode words.  ASCII, which most texts are made of, takes the short way;
 * everything else goes by its Unicode category and through utf8proc.
 *
 * Stemmers want a word with its accents, searchers often leave them out: so
 * a word is stemmed first and folded afterwards, and when it had accents its
 * bare form is stemmed as well.
 */
#include "language/wordforms.h"

#include <libstemmer.h>
#include <string.h>
#include <utf8proc.h>

#include "base/utf8.h"

#define CODES_MAX 128 /* code points of a word that is looked at */

enum letter_class { LETTER_NONE, LETTER_MARK, LETTER_SPACED, LETTER_UNSPACED };

static bool
is_unspaced(uint32_t c)
{
	return (c >= 0x3040 && c <= 0x30FF) || (c >= 0x31F0 && c <= 0x31FF) ||
	    (c >= 0x3400 && c <= 0x4DBF) || (c >= 0x4E00 && c <= 0x9FFF) ||
	    (c >= 0xAC00 && c <= 0xD7AF) || (c >= 0x0E01 && c <= 0x0E4E) ||
	    (c >= 0x0E81 && c <= 0x0ECD) || (c >= 0x1000 && c <= 0x109F) ||
	    (c >= 0x1780 && c <= 0x17D3) || (c >= 0xF900 && c <= 0xFAFF) ||
	    (c >= 0xFF66 && c <= 0xFF9D) || (c >= 0x20000 && c <= 0x3FFFF) ||
	    c == 0x3005;
}

/* Inline, because it is asked for every byte of every text. */
static inline bool
is_plain(char c)
{
	return (unsigned char)((c | 0x20) - 'a') < 26 ||
	    (unsigned char)(c - '0') < 10;
}

static enum letter_class
classify(uint32_t c)
{
	if (c < 0x80)
		return is_plain((char)c) ? LETTER_SPACED : LETTER_NONE;
	if (c >= 0xD800 && c <= 0xDFFF)
		return LETTER_NONE;
	if (c == 0x30FB || c > 0x10FFFF) /* the katakana middle dot */
		return LETTER_NONE;
	if (c >= 0x0E00 && is_unspaced(c))
		return LETTER_UNSPACED;
	switch (utf8proc_category((utf8proc_int32_t)c)) {
	case UTF8PROC_CATEGORY_LU:
	case UTF8PROC_CATEGORY_LL:
	case UTF8PROC_CATEGORY_LT:
	case UTF8PROC_CATEGORY_LM:
	case UTF8PROC_CATEGORY_LO:
	case UTF8PROC_CATEGORY_ND:
	case UTF8PROC_CATEGORY_NL:
	case UTF8PROC_CATEGORY_NO:
		return LETTER_SPACED;
	case UTF8PROC_CATEGORY_MN:
	case UTF8PROC_CATEGORY_MC:
	case UTF8PROC_CATEGORY_ME:
		return LETTER_MARK;
	case UTF8PROC_CATEGORY_CF: /* joiners and soft hyphens, not the BOM */
		return c == 0xFEFF ? LETTER_NONE : LETTER_MARK;
	default:
		return LETTER_NONE;
	}
}

void
word_scan_init(struct word_scan *w, struct span text)
{
	*w = (struct word_scan){.text = text};
}

bool
wordforms_is_unspaced(struct span text)
{
	size_t at = 0;

	return text.len > 0 &&
	    classify(utf8_next(text, &at)) == LETTER_UNSPACED;
}

/* A pair at w->at, which is a character of an unspaced script. */
static bool
next_pair(struct word_scan *w, struct word *out)
{
	size_t start = w->at, middle, end, at = start;
	bool alone;

	(void)utf8_next(w->text, &at);
	middle = end = at;
	alone = at >= w->text.len ||
	    classify(utf8_next(w->text, &at)) != LETTER_UNSPACED;
	if (!alone)
		end = at;
	out->last_of_run = alone && w->in_run;
	w->in_run = !alone;
	w->at = middle;
	out->pair = true;
	out->start = start;
	out->end = end;
	out->text = (struct span){w->text.data + start, end - start};
	return true;
}

bool
word_scan_next(struct word_scan *w, struct word *out)
{
	size_t at = w->at, start;
	enum letter_class class;

	for (;;) {
		if (at >= w->text.len) {
			w->at = at;
			return false;
		}
		start = at;
		if ((unsigned char)w->text.data[at] < 0x80)
			class = is_plain(w->text.data[at++]) ? LETTER_SPACED
							     : LETTER_NONE;
		else
			class = classify(utf8_next(w->text, &at));
		if (class == LETTER_UNSPACED) {
			w->at = start;
			return next_pair(w, out);
		}
		w->in_run = false;
		if (class == LETTER_SPACED)
			break;
	}
	while (at < w->text.len) {
		size_t before = at;

		if (is_plain(w->text.data[at])) {
			at++;
			continue;
		}
		class = (unsigned char)w->text.data[at] < 0x80
		    ? LETTER_NONE
		    : classify(utf8_next(w->text, &at));
		if (class != LETTER_SPACED && class != LETTER_MARK) {
			at = before;
			break;
		}
	}
	w->at = at;
	out->start = start;
	out->end = at;
	out->pair = out->last_of_run = false;
	out->text = (struct span){w->text.data + start, at - start};
	return true;
}

static bool
is_ascii(struct span s)
{
	size_t i;

	for (i = 0; i < s.len; i++)
		if ((unsigned char)s.data[i] >= 0x80)
			return false;
	return true;
}

/* Marks are dropped from letters of these; elsewhere they are vowels. */
static bool
drops_marks(uint32_t c)
{
	return c < 0x0780 || (c >= 0x1E00 && c <= 0x1FFF);
}

/* The digits of scripts that have their own, by their zeros. */
static const uint16_t zeros[] = {0x0660, 0x06F0, 0x07C0, 0x0966, 0x09E6,
    0x0A66, 0x0AE6, 0x0B66, 0x0BE6, 0x0C66, 0x0CE6, 0x0D66, 0x0E50, 0x0ED0,
    0x0F20, 0x1040, 0x17E0, 0x1810};

/* Letters that do not come apart into a base and a mark; digits. */
static uint32_t
plain_letter(uint32_t c)
{
	size_t i;

	if (c >= 0x0660 && c <= 0x1819)
		for (i = 0; i < sizeof(zeros) / sizeof(zeros[0]); i++)
			if (c >= zeros[i] && c < zeros[i] + 10U)
				return '0' + (c - zeros[i]);
	switch (c) {
	case 0x0131: return 'i';
	case 0x0142: return 'l';
	case 0x00F8: return 'o';
	case 0x0111: return 'd';
	case 0x0629: return 0x0647; /* teh marbuta */
	case 0x0649: return 0x064A; /* alef maksura */
	case 0x0671: return 0x0627;
	/* Keyboards for Arabic, Persian, Urdu have different codes for these,
	 * and people write each language with all of them. */
	case 0x06CC: return 0x064A; /* yeh */
	case 0x06A9: case 0x06AA: return 0x0643; /* kaf */
	case 0x06C1: case 0x06C3: case 0x06D5: return 0x0647; /* heh */
	default: return c;
	}
}

static const utf8proc_option_t lower_options = UTF8PROC_STABLE |
    UTF8PROC_COMPAT | UTF8PROC_CASEFOLD | UTF8PROC_IGNORE;

/* Writes codes as UTF-8, at most size bytes of whole characters. */
static size_t
put_codes(const utf8proc_int32_t *codes, size_t n, char *out, size_t size)
{
	char one[4];
	size_t len = 0, i, bytes;

	for (i = 0; i < n; i++) {
		bytes = utf8_put(one, (uint32_t)codes[i]);
		if (len + bytes > size)
			break;
		memcpy(out + len, one, bytes);
		len += bytes;
	}
	return len;
}

/* Lower case and compatible forms, accents kept (NFC) or dropped. */
static size_t
normalize(struct span in, bool turkish, bool bare, char out[WORD_BYTES])
{
	utf8proc_int32_t codes[CODES_MAX * 4];
	utf8proc_ssize_t n = 0, more;
	size_t at = 0, i, kept;
	uint32_t c, base = 0;
	int last = 0;

	while (at < in.len && n < CODES_MAX) {
		c = utf8_next(in, &at);
		if (c == UTF8_INVALID || c == 0x0640) /* tatweel */
			continue;
		if (turkish && c == 'I')
			c = 0x0131;
		else if (turkish && c == 0x0130)
			c = 'i';
		more = utf8proc_decompose_char((utf8proc_int32_t)c, codes + n,
		    CODES_MAX * 3 - n, lower_options | UTF8PROC_DECOMPOSE,
		    &last);
		if (more < 0 || more > CODES_MAX * 3 - n)
			break;
		n += more;
	}
	if (!bare) {
		n = utf8proc_normalize_utf32(codes, n,
		    UTF8PROC_STABLE | UTF8PROC_COMPOSE);
		return put_codes(codes, n < 0 ? 0 : (size_t)n, out,
		    WORD_BYTES);
	}
	for (i = 0, kept = 0; i < (size_t)n; i++) {
		c = (uint32_t)codes[i];
		if (classify(c) == LETTER_MARK && drops_marks(base))
			continue;
		base = c;
		codes[kept++] = (utf8proc_int32_t)plain_letter(c);
	}
	n = utf8proc_normalize_utf32(codes, (utf8proc_ssize_t)kept,
	    UTF8PROC_STABLE | UTF8PROC_COMPOSE);
	return put_codes(codes, n < 0 ? 0 : (size_t)n, out, WORD_BYTES);
}

static size_t
lower_ascii(struct span in, char *out, size_t size)
{
	size_t i, n = in.len < size ? in.len : size;

	for (i = 0; i < n; i++)
		out[i] = text_lower(in.data[i]);
	return n;
}

struct span
wordforms_fold(const struct word *word, char out[WORD_BYTES])
{
	struct span folded = {out, 0};

	folded.len = is_ascii(word->text)
	    ? lower_ascii(word->text, out, WORD_BYTES)
	    : normalize(word->text, false, true, out);
	return folded;
}

void
stemmers_release(struct stemmers *s)
{
	size_t i;

	for (i = 0; i < LANGUAGES_MAX; i++)
		if (s->made[i] != NULL)
			sb_stemmer_delete(s->made[i]);
	*s = (struct stemmers){.made = {NULL}};
}

static struct sb_stemmer *
stemmer_of(struct stemmers *s, const struct language *language)
{
	int at;

	if (language == NULL || language->stemmer == NULL)
		return NULL;
	at = language_number(language);
	if (s->made[at] == NULL)
		s->made[at] = sb_stemmer_new(language->stemmer, NULL);
	return s->made[at];
}

/* Some scripts settle the language of a word, whatever the text's is. */
static const struct language *
language_of_word(struct span lower, const struct language *language)
{
	size_t at = 0;
	uint32_t c;

	if (lower.len == 0 || (unsigned char)lower.data[0] < 0x80)
		return language;
	c = utf8_next(lower, &at);
	if (c >= 0x0370 && c <= 0x03FF)
		return language_find("el");
	if (c >= 0x0400 && c <= 0x052F)
		return language != NULL && strcmp(language->code, "uk") == 0
		    ? language
		    : language_find("ru");
	if (c >= 0x0600 && c <= 0x06FF)
		return language_find("ar");
	if (c >= 0x0900 && c <= 0x097F)
		return language_find("hi");
	return language;
}

static void
add_form(struct word_forms *forms, struct span form)
{
	size_t i;

	if (form.len > WORD_FORM_BYTES)
		for (form.len = WORD_FORM_BYTES; form.len > 0 &&
		     ((unsigned char)form.data[form.len] & 0xC0) == 0x80;)
			form.len--; /* not in the middle of a character */
	if (form.len == 0 || forms->n == WORD_FORMS_MAX)
		return;
	for (i = 0; i < forms->n; i++)
		if (forms->len[i] == form.len &&
		    memcmp(forms->text[i], form.data, form.len) == 0)
			return;
	memcpy(forms->text[forms->n], form.data, form.len);
	forms->len[forms->n++] = (unsigned char)form.len;
}

static struct span
stem(struct sb_stemmer *stemmer, struct span word)
{
	const sb_symbol *out;

	if (stemmer == NULL || word.len == 0)
		return word;
	out = sb_stemmer_stem(stemmer, (const sb_symbol *)word.data,
	    (int)word.len);
	if (out == NULL)
		return word;
	return (struct span){(const char *)out,
	    (size_t)sb_stemmer_length(stemmer)};
}

/* A stem may keep an accent of its word. */
static void
add_folded(struct word_forms *forms, struct span form)
{
	char bare[WORD_BYTES];

	if (!is_ascii(form)) {
		form.len = normalize(form, false, true, bare);
		form.data = bare;
	}
	add_form(forms, form);
}

void
wordforms_add(struct stemmers *s, const struct language *language,
    const struct word *word, struct word_forms *forms)
{
	char lower[WORD_BYTES], bare[WORD_BYTES];
	struct span low = {lower, 0}, plain = {bare, 0};
	struct sb_stemmer *stemmer;
	bool turkish = language != NULL && strcmp(language->code, "tr") == 0;

	if (word->pair) {
		low.len = normalize(word->text, false, false, lower);
		add_form(forms, low);
		return;
	}
	language = language_of_word(word->text, language);
	stemmer = stemmer_of(s, language);
	if (is_ascii(word->text) && !turkish) {
		low.len = lower_ascii(word->text, lower, WORD_BYTES);
		/* Snowball gives ASCII for ASCII. */
		add_form(forms, stem(stemmer, low));
		return;
	}
	low.len = normalize(word->text, turkish, false, lower);
	add_folded(forms, stem(stemmer, low));
	plain.len = normalize(word->text, turkish, true, bare);
	if (!span_equal(low, plain))
		add_folded(forms, stem(stemmer, plain));
}
