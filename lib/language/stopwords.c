/*
 * Stop words, looked up in one hash table (stops.h), and the language that
 * they betray.  Stop words only weaken a word in a question, they are never
 * left out of an index, so a list may err on the long side.
 */
#include "language/stopwords.h"

#include <pthread.h>
#include <string.h>

#include "base/utf8.h"
#include "language/stops.h"
#include "language/wordforms.h"

#define STRINGS_MAX 512

#include "stops.inc" /* stop_text, stop_slots */

static struct span strings[STRINGS_MAX]; /* of scripts without spaces */
static size_t n_strings;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void
find_strings(void)
{
	struct span rest, word;
	int i;

	for (i = 0; i < language_count(); i++) {
		rest = span_of(language_at(i)->stop);
		while (rest.len > 0) {
			word = span_cut(&rest, ' ');
			if (wordforms_is_unspaced(word) &&
			    n_strings < STRINGS_MAX)
				strings[n_strings++] = word;
		}
	}
}

uint32_t
language_stops(struct span folded)
{
	size_t i = stops_first(folded.data, folded.len);

	if (folded.len == 0)
		return 0;
	while (stop_slots[i].mask != 0 && (stop_slots[i].len != folded.len ||
		memcmp(stop_text + stop_slots[i].at, folded.data,
		    folded.len) != 0))
		i = (i + 1) & (STOPS_SIZE - 1);
	return stop_slots[i].mask;
}

/* Scripts that (nearly) settle the language. */
static const struct {
	uint32_t first, last;
	const char *code;
} scripts[] = {
    {0x0370, 0x03FF, "el"}, {0x0400, 0x052F, "ru"}, {0x0590, 0x05FF, "he"},
    {0x0600, 0x06FF, "ar"}, {0x0900, 0x097F, "hi"}, {0x0E00, 0x0E7F, "th"},
    {0x3040, 0x30FF, "ja"}, {0x4E00, 0x9FFF, "zh"}, {0xAC00, 0xD7AF, "ko"},
};
#define N_SCRIPTS (sizeof(scripts) / sizeof(scripts[0]))

/* The script most letters are of; NULL when most are Latin. */
static const struct language *
guess_by_script(struct span text)
{
	size_t counts[N_SCRIPTS] = {0}, latin = 0, at = 0, i, best = 0;
	uint32_t code;

	while (at < text.len) {
		code = utf8_next(text, &at);
		if (code < 0x370) {
			latin += code < 0x80 && text_is_alpha((char)code);
			continue;
		}
		for (i = 0; i < N_SCRIPTS; i++)
			if (code >= scripts[i].first && code <= scripts[i].last)
				counts[i]++;
	}
	for (i = 1; i < N_SCRIPTS; i++)
		if (counts[i] > counts[best])
			best = i;
	/* Japanese is written with Han too; kana tell the difference. */
	if (strcmp(scripts[best].code, "zh") == 0 &&
	    counts[6] * 10 > counts[7])
		best = 6;
	/* A letter of Han says about as much as three of Latin. */
	return counts[best] * 3 > latin ? language_find(scripts[best].code)
					: NULL;
}

/* Letters that only some languages write, as a sign of them. */
static const struct {
	const char *letters, *codes;
} signs[] = {
    {"ß", "de"}, {"äö", "de fi sv"}, {"ü", "de tr hu"}, {"ñ¿¡", "es"},
    {"ãõ", "pt"}, {"ğışİ", "tr"}, {"ç", "fr pt tr"}, {"łąęśźżćń", "pl"},
    {"đơưăạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ", "vi"},
    {"ěřůťď", "cs"}, {"őű", "hu"}, {"țșăâî", "ro"}, {"å", "sv da no"},
    {"æø", "da no"}, {"èàù", "fr it"}, {"òì", "it"}, {"œêëîûô", "fr"},
    {"áíóú", "es pt"}, {"é", "fr es pt"}, {"ñ", "es"},
};
#define N_SIGNS (sizeof(signs) / sizeof(signs[0]))

static void
count_signs(struct span word, int counts[LANGUAGES_MAX])
{
	size_t at, i, start;
	int k;

	for (at = 0; at < word.len;) {
		start = at;
		if ((unsigned char)word.data[at] < 0x80) {
			at++;
			continue;
		}
		(void)utf8_next(word, &at);
		for (i = 0; i < N_SIGNS; i++) {
			if (memmem(signs[i].letters, strlen(signs[i].letters),
				word.data + start, at - start) == NULL)
				continue;
			for (k = 0; k < language_count(); k++)
				if (strstr(signs[i].codes,
					language_at(k)->code) != NULL)
					counts[k]++;
		}
	}
}

const struct language *
language_guess_among(struct span text, uint32_t likely)
{
	int counts[LANGUAGES_MAX] = {0}, best = 0, second = -1, n = 0, i;
	const struct language *found;
	struct word_scan words;
	struct word word;
	uint32_t mask;

	if (text.len > 4096)
		text = utf8_prefix(text, 2000);
	found = guess_by_script(text);
	if (found != NULL)
		return found;
	word_scan_init(&words, text);
	while (word_scan_next(&words, &word)) {
		char folded[WORD_BYTES];

		n++;
		mask = language_stops(wordforms_fold(&word, folded));
		for (i = 0; i < language_count(); i++)
			counts[i] += (mask >> i & 1) != 0 ? 2 : 0;
		count_signs(word.text, counts);
	}
	if (n <= 12)
		for (i = 0; i < language_count(); i++)
			counts[i] += counts[i] > 0 && (likely >> i & 1) != 0;
	for (i = 1; i < language_count(); i++)
		if (counts[i] > counts[best])
			best = i;
	for (i = 0; i < language_count(); i++)
		if (i != best && (second < 0 || counts[i] > counts[second]))
			second = i;
	/* One word in eight of any running text is a stop word; a list of
	 * names and numbers has a few by chance. */
	if (counts[best] == 0 || counts[best] == counts[second] ||
	    (n > 12 && counts[best] * 4 < n))
		return NULL;
	return language_at(best);
}

const struct language *
language_guess(struct span text)
{
	return language_guess_among(text, 0);
}

void
language_mark_stops(struct span text, unsigned char *bytes)
{
	size_t at, i, longest;

	for (at = 0; at < text.len; at += longest > 0 ? longest : 1) {
		longest = 0;
		if ((unsigned char)text.data[at] < 0xE0)
			continue;
		(void)pthread_once(&once, find_strings);
		for (i = 0; i < n_strings; i++)
			if (strings[i].len > longest &&
			    strings[i].len <= text.len - at &&
			    memcmp(strings[i].data, text.data + at,
				strings[i].len) == 0)
				longest = strings[i].len;
		memset(bytes + at, 1, longest);
	}
}
