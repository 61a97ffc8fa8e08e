/* Reading requests of the messages API. */
#include "messagesapi/parse.h"

#include <string.h>

#include "base/utf8.h"
#include "config/config.h"

/* application/json or application/ANY+json, with any parameters. */
static bool
is_json_type(const char *content_type)
{
	struct span rest = span_of(content_type), type;

	type = span_trim(span_cut(&rest, ';'));
	if (span_is_nocase(type, "application/json"))
		return true;
	if (type.len < 17 || !span_is_nocase((struct span){type.data, 12},
				 "application/"))
		return false;
	return span_is_nocase((struct span){type.data + type.len - 5, 5},
	    "+json");
}

static enum err
read_body(struct exchange *x, size_t max)
{
	switch (request_read_body(&x->request, max)) {
	case BODY_READ:
		return ERR_NONE;
	case BODY_TOO_BIG:
		return reply_error(x, REPLY_TOO_LARGE);
	case BODY_CUT:
	case BODY_BAD_LENGTH:
		return reply_error(x, REPLY_BAD_REQUEST);
	case BODY_STALLED:
		return reply_error(x, REPLY_STALLED);
	case BODY_FAILED:
		break;
	}
	return ERR_MEMORY;
}

enum err
parse_body(struct exchange *x, const struct pyjson **object)
{
	struct span text;
	enum err err;

	*object = NULL;
	if (x->request.content_type == NULL ||
	    !is_json_type(x->request.content_type))
		return reply_error(x, REPLY_MEDIA_TYPE);
	err = read_body(x, (size_t)x->config->server.max_body);
	if (err != ERR_NONE)
		return err;
	err = pyjson_text(x->request.arena, x->request.body, &text);
	if (err == ERR_NONE)
		err = pyjson_decode(x->request.arena, text, NULL, object,
		    NULL);
	if (err == ERR_MEMORY)
		return err;
	if (err != ERR_NONE || !pyjson_is_object(*object))
		return reply_error(x, REPLY_BAD_REQUEST);
	return ERR_NONE;
}

/* A name that was given: its length is checked. */
static enum err
accept_user(struct exchange *x, struct span name, struct api_user *user)
{
	if (utf8_length(name) > PARSE_USER_MAX)
		return reply_invalid(x, "user",
		    "user: String should have at most %d characters",
		    PARSE_USER_MAX);
	user->name = name;
	user->anonymous = false;
	return ERR_NONE;
}

static enum err
no_user(struct exchange *x, bool required, struct api_user *user)
{
	if (required)
		return reply_invalid(x, "user", "Arg user must be provided.");
	user->name = SPAN(PARSE_DEFAULT_USER);
	user->anonymous = true;
	return ERR_NONE;
}

enum err
parse_user_text(struct exchange *x, bool present, struct span text,
    bool required, struct api_user *user)
{
	if (!present || text.len == 0)
		return no_user(x, required, user);
	return accept_user(x, text, user);
}

enum err
parse_user_query(struct exchange *x, bool required, struct api_user *user)
{
	struct span text = SPAN_NONE;
	bool present = request_query(&x->request, "user", &text);

	if (present && text.data == NULL)
		return ERR_MEMORY;
	return parse_user_text(x, present, text, required, user);
}

enum err
parse_user(struct exchange *x, const struct pyjson *object, bool required,
    struct api_user *user)
{
	const struct pyjson *value = pyjson_get(object, "user");

	switch (pyjson_kind(value)) {
	case PYJSON_STRING:
		return parse_user_text(x, true, pyjson_string(value), required,
		    user);
	case PYJSON_INT:
	case PYJSON_FLOAT:
		/* The original takes zero for nothing. */
		if (pyjson_double(value) == 0.0)
			return no_user(x, required, user);
		return accept_user(x, pyjson_number(value), user);
	case PYJSON_ABSENT:
	case PYJSON_NULL:
	case PYJSON_FALSE:
		return no_user(x, required, user);
	case PYJSON_TRUE:
	case PYJSON_ARRAY:
	case PYJSON_OBJECT:
		break;
	}
	return reply_invalid(x, "user", "user: Input should be a valid string");
}

bool
parse_bool_text(struct span text, bool *out)
{
	static const char *const yes[] = {"true", "t", "yes", "y", "on", "1"};
	static const char *const no[] = {"false", "f", "no", "n", "off", "0"};
	size_t i;

	for (i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
		if (span_is_nocase(text, yes[i]))
			*out = true;
		else if (span_is_nocase(text, no[i]))
			*out = false;
		else
			continue;
		return true;
	}
	return false;
}

bool
parse_bool(const struct pyjson *value, bool *out)
{
	double number;

	switch (pyjson_kind(value)) {
	case PYJSON_TRUE:
	case PYJSON_FALSE:
		return pyjson_bool(value, out);
	case PYJSON_STRING:
		return parse_bool_text(pyjson_string(value), out);
	case PYJSON_INT:
	case PYJSON_FLOAT:
		number = pyjson_double(value);
		*out = number == 1.0;
		return number == 0.0 || number == 1.0;
	case PYJSON_ABSENT:
	case PYJSON_NULL:
	case PYJSON_ARRAY:
	case PYJSON_OBJECT:
		break;
	}
	return false;
}

/* "17", " +17 ", "17.0", as Python's int() and pydantic read them. */
static bool
read_int(struct span text, int64_t *value)
{
	struct span rest = span_trim(text), whole = span_cut(&rest, '.');
	size_t i;

	for (i = 0; i < rest.len; i++)
		if (rest.data[i] != '0')
			return false;
	if (rest.data != NULL && rest.len == 0)
		return false;
	if (whole.len > 1 && whole.data[0] == '+' &&
	    text_is_digit(whole.data[1])) {
		whole.data++;
		whole.len--;
	}
	if (text_to_int64(whole, INT64_MIN, INT64_MAX, value))
		return true;
	/* Python's integers have no end. */
	i = whole.len > 0 && whole.data[0] == '-' ? 1 : 0;
	*value = i == 1 ? INT64_MIN : INT64_MAX;
	if (i == whole.len)
		return false;
	for (; i < whole.len; i++)
		if (!text_is_digit(whole.data[i]))
			return false;
	return true;
}

int64_t
parse_query_int(struct exchange *x, struct faults *f, const char *name,
    int64_t min, int64_t max, int64_t fallback)
{
	struct span text;
	int64_t value;

	if (!request_query(&x->request, name, &text))
		return fallback;
	if (!read_int(text, &value)) {
		faults_add(f, name,
		    "Input should be a valid integer, unable to parse string "
		    "as an integer");
		return fallback;
	}
	if (value < min) {
		faults_add(f, name,
		    "Input should be greater than or equal to %lld",
		    (long long)min);
		return fallback;
	}
	if (value > max) {
		faults_add(f, name,
		    "Input should be less than or equal to %lld",
		    (long long)max);
		return fallback;
	}
	return value;
}

#define BAD_BOOLEAN                                                            \
	"Input should be a valid boolean, unable to interpret input"

bool
parse_query_bool(struct exchange *x, struct faults *f, const char *name,
    bool fallback)
{
	struct span text;
	bool value = fallback;

	if (request_query(&x->request, name, &text) &&
	    !parse_bool_text(text, &value))
		faults_add(f, name, BAD_BOOLEAN);
	return value;
}

void
parse_query_uuid(struct exchange *x, struct faults *f, const char *name,
    char out[UUID_TEXT])
{
	struct span text;

	out[0] = '\0';
	if (!request_query(&x->request, name, &text) || text.len == 0)
		return;
	if (uuid_parse(text, out))
		return;
	out[0] = '\0';
	faults_add(f, name, "Value error, %.*s is not a valid uuid.",
	    (int)utf8_prefix(text, 100).len, text.data);
}

struct span
parse_string(const struct pyjson *object, struct faults *f, const char *name,
    bool required)
{
	const struct pyjson *value = pyjson_get(object, name);

	if (pyjson_is_string(value))
		return pyjson_string(value);
	if (value == NULL && required)
		faults_add(f, name, "Field required");
	else if (required || pyjson_given(value))
		faults_add(f, name, "Input should be a valid string");
	return SPAN_NONE;
}

/* "Input should be 'a', 'b' or 'c'" */
static void
not_of_words(struct faults *f, const char *name, const char *const *words)
{
	struct buf text = BUF_INIT(4096);
	size_t i;

	for (i = 0; words[i] != NULL; i++)
		buf_printf(&text, "%s'%s'",
		    i == 0 ? "" : words[i + 1] == NULL ? " or " : ", ",
		    words[i]);
	faults_add(f, name, "Input should be %s", buf_text(&text));
	buf_release(&text);
}

const char *
parse_choice(const struct pyjson *object, struct faults *f, const char *name,
    const char *const *words, const char *fallback)
{
	const struct pyjson *value = pyjson_get(object, name);
	size_t i;

	if (!pyjson_given(value))
		return fallback;
	for (i = 0; words[i] != NULL; i++)
		if (span_is(pyjson_string(value), words[i]))
			return words[i];
	not_of_words(f, name, words);
	return fallback;
}

bool
parse_member_bool(const struct pyjson *object, struct faults *f,
    const char *name, bool fallback)
{
	const struct pyjson *value = pyjson_get(object, name);
	bool out = fallback;

	if (value != NULL && !parse_bool(value, &out)) {
		faults_add(f, name, BAD_BOOLEAN);
		return fallback;
	}
	return out;
}

struct span
parse_without_nul(struct arena *arena, struct span text)
{
	char *copy;
	size_t i, at = 0;

	if (text.len == 0 || memchr(text.data, '\0', text.len) == NULL)
		return text.data == NULL ? SPAN("") : text;
	copy = arena_alloc(arena, text.len + 1);
	if (copy == NULL)
		return SPAN_NONE;
	for (i = 0; i < text.len; i++)
		if (text.data[i] != '\0')
			copy[at++] = text.data[i];
	return (struct span){copy, at};
}

enum err
parse_page(struct exchange *x, int64_t max, struct parse_page *p)
{
	struct faults faults = FAULTS_INIT;

	p->keyword = SPAN_NONE;
	p->page = parse_query_int(x, &faults, "page", 1, 1000000000, 1);
	p->limit = parse_query_int(x, &faults, "limit", 1, INT32_MAX, 20);
	p->limit = p->limit > max ? max : p->limit;
	(void)request_query(&x->request, "keyword", &p->keyword);
	return faults_answered(&faults, x);
}
