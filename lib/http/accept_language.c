/*
 * A header is a list of language tags with weights, "de-CH, de;q=0.9, *;q=0.1".
 * Only the first part of a tag counts here: the pages have no more.
 */
#include "http/accept_language.h"

#include "base/text.h"

/* ";q=0.85" in thousandths; 1000 when there is none, 0 when it is wrong. */
static int
weight(struct span parameters)
{
	struct span rest = span_trim(parameters), name;
	int value, unit;
	size_t i;

	if (rest.len == 0)
		return 1000;
	name = span_trim(span_cut(&rest, '='));
	rest = rest.data == NULL ? rest : span_trim(rest);
	if (!span_is_nocase(name, "q") || rest.len == 0 || rest.len > 5 ||
	    (rest.data[0] != '0' && rest.data[0] != '1') ||
	    (rest.len > 1 && rest.data[1] != '.'))
		return 0;
	value = (rest.data[0] - '0') * 1000;
	for (i = 2, unit = 100; i < rest.len; i++, unit /= 10) {
		if (!text_is_digit(rest.data[i]))
			return 0;
		value += (rest.data[i] - '0') * unit;
	}
	return value > 1000 ? 0 : value;
}

size_t
accept_language(const char *header, const char *const *codes, size_t n,
    size_t fallback)
{
	struct span rest = span_of(header), item, tag;
	size_t best = fallback, i;
	int best_weight = 0, w;

	while (rest.data != NULL) {
		item = span_cut(&rest, ',');
		tag = span_trim(span_cut(&item, ';'));
		w = weight(item);
		if (w <= best_weight)
			continue;
		tag = span_cut(&tag, '-');
		if (span_is(tag, "*")) {
			best = fallback;
			best_weight = w;
			continue;
		}
		for (i = 0; i < n; i++)
			if (span_is_nocase(tag, codes[i])) {
				best = i;
				best_weight = w;
			}
	}
	return best;
}
