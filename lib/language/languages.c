/* The table of languages. */
#include "language/languages.h"

#define X(code, name, stemmer, own, unknown, yes, no, found, stop)             \
	{code, name, stemmer, own, stop, unknown, yes, no, found},
static const struct language languages[] = {
#include "language/languages.inc"
};
#undef X

#define N_LANGUAGES ((int)(sizeof(languages) / sizeof(languages[0])))

int
language_count(void)
{
	return N_LANGUAGES;
}

int
language_number(const struct language *l)
{
	return (int)(l - languages);
}

const struct language *
language_at(int number)
{
	return number < 0 || number >= N_LANGUAGES ? NULL : &languages[number];
}

const struct language *
language_find(const char *name)
{
	struct span s = span_of(name), code = s;
	int i;

	if (s.len == 0)
		return NULL;
	if (code.len > 3 && (code.data[2] == '-' || code.data[2] == '_'))
		code.len = 2;
	for (i = 0; i < N_LANGUAGES; i++)
		if (span_is_nocase(code, languages[i].code) ||
		    span_is_nocase(s, languages[i].name) ||
		    span_is_nocase(s, languages[i].own))
			return &languages[i];
	return NULL;
}
