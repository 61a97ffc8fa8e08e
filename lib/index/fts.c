/* The FTS5 tokenizer and ranking function; see SQLite's fts5.html, 7. */
#include "index/fts.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"

#define PREFIX_BYTES 24
#define HEADING_COLUMN 0
/* How much a word in the heading is worth, in words of the text. */
#define HEADING_WORDS 2.0
#define SATURATION 1.2

static int
tokenizer_new(void *context, const char **args, int n_args, Fts5Tokenizer **out)
{
	(void)args;
	(void)n_args;
	*out = context;
	return SQLITE_OK;
}

static void
tokenizer_free(Fts5Tokenizer *tokenizer)
{
	(void)tokenizer; /* the context is the connection owner's */
}

typedef int (*token_fn)(void *, int, const char *, int, int, int);

static int
tokenize_document(struct fts_context *c, struct span text, void *arg,
    token_fn token)
{
	char form[PREFIX_BYTES + WORD_FORM_BYTES];
	size_t prefix = (size_t)snprintf(form, PREFIX_BYTES, "%lld:",
	    (long long)c->dataset);
	bool heading = c->column++ == HEADING_COLUMN;
	const struct vocabulary_entry *e;
	struct word_scan words;
	struct word word;
	size_t i;
	int code;

	c->words = 0;
	word_scan_init(&words, text);
	while (word_scan_next(&words, &word)) {
		c->words++;
		e = vocabulary_look(c->vocabulary, c->language, &word);
		if (e == NULL)
			return SQLITE_NOMEM;
		for (i = 0; i < e->n; i++) {
			memcpy(form + prefix, e->terms[i]->text.data,
			    e->terms[i]->text.len);
			vocabulary_count(e->terms[i], c->row, c->sign);
			code = token(arg, i == 0 ? 0 : FTS5_TOKEN_COLOCATED,
			    form, (int)(prefix + e->terms[i]->text.len),
			    (int)word.start, (int)word.end);
			if (code == SQLITE_OK && heading) {
				form[prefix - 1] = '/';
				code = token(arg, FTS5_TOKEN_COLOCATED, form,
				    (int)(prefix + e->terms[i]->text.len),
				    (int)word.start, (int)word.end);
				form[prefix - 1] = ':';
			}
			if (code != SQLITE_OK)
				return code;
		}
	}
	return SQLITE_OK;
}

static int
tokenize(Fts5Tokenizer *tokenizer, void *arg, int flags, const char *text,
    int len, token_fn token)
{
	if ((flags & FTS5_TOKENIZE_QUERY) != 0)
		return token(arg, 0, text, len, 0, len);
	return tokenize_document((struct fts_context *)tokenizer,
	    (struct span){text, len < 0 ? 0 : (size_t)len}, arg, token);
}

/* parlance_score(table, weights): the sum over the phrases of weight times
 * saturated frequency.  Lengths come in later, over the best few. */
static void
score(const Fts5ExtensionApi *api, Fts5Context *fts, sqlite3_context *result,
    int n_values, sqlite3_value **values)
{
	Fts5PhraseIter at;
	int n = api->xPhraseCount(fts), i, column, offset;
	const double *weights;
	double sum = 0, frequency;

	if (n_values != 1 || sqlite3_value_bytes(values[0]) !=
		(int)sizeof(double) * n) {
		sqlite3_result_error(result, "one weight a phrase", -1);
		return;
	}
	weights = sqlite3_value_blob(values[0]);
	for (i = 0; i < n; i++) {
		frequency = 0;
		if (api->xPhraseFirst(fts, i, &at, &column, &offset) !=
		    SQLITE_OK)
			continue;
		for (; column >= 0; api->xPhraseNext(fts, &at, &column,
		     &offset))
			frequency +=
			    column == HEADING_COLUMN ? HEADING_WORDS : 1;
		sum += weights[i] * frequency / (frequency + SATURATION);
	}
	sqlite3_result_double(result, sum);
}

static fts5_api *
api_of(sqlite3 *handle)
{
	fts5_api *api = NULL;
	sqlite3_stmt *stmt;

	if (sqlite3_prepare_v2(handle, "SELECT fts5(?1)", -1, &stmt, NULL) !=
	    SQLITE_OK)
		return NULL;
	(void)sqlite3_bind_pointer(stmt, 1, &api, "fts5_api_ptr", NULL);
	(void)sqlite3_step(stmt);
	(void)sqlite3_finalize(stmt);
	return api;
}

enum err
fts_register(struct db *db, struct fts_context *context)
{
	fts5_tokenizer tokenizer = {tokenizer_new, tokenizer_free, tokenize};
	fts5_api *api = api_of(db_native(db));

	if (api == NULL) {
		log_error("knowledge: this SQLite has no FTS5");
		return ERR_STORE;
	}
	if (api->xCreateTokenizer(api, "parlance", context, &tokenizer,
		NULL) != SQLITE_OK ||
	    api->xCreateFunction(api, "parlance_score", NULL, score, NULL) !=
		SQLITE_OK)
		return ERR_STORE;
	return ERR_NONE;
}
