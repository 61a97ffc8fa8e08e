/*
 * The values of settings: from text to the kind that the table names, into
 * the place that it names.
 */
#include "config/config_value.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/decimal.h"

#define SECRET_MAX_BYTES 4096U

char *
reader_file(struct arena *a, const char *path, size_t max, size_t *len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	char *text = NULL;
	ssize_t n;

	*len = 0;
	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) != 0)
		goto out;
	if (!S_ISREG(st.st_mode) || (uintmax_t)st.st_size > max) {
		errno = S_ISREG(st.st_mode) ? EFBIG : EINVAL;
		goto out;
	}
	text = arena_alloc(a, (size_t)st.st_size + 1);
	if (text == NULL) {
		errno = ENOMEM;
		goto out;
	}
	while (*len < (size_t)st.st_size) {
		n = read(fd, text + *len, (size_t)st.st_size - *len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			text = NULL;
		if (n <= 0)
			break;
		*len += (size_t)n;
	}
out:
	(void)close(fd);
	return text;
}

static const char *
absolute_path(struct reader *r, const char *path)
{
	if (path[0] == '/' || path[0] == '\0')
		return path;
	return arena_printf(&r->config->arena, "%s/%s", r->config->folder,
	    path);
}

static bool
add_item(struct reader *r, struct config_list *list, struct span item)
{
	item = span_trim(item);
	if (item.len == 0)
		return true;
	if (list->n == CONFIG_LIST_MAX) {
		FAULT(r, "more than %d items", CONFIG_LIST_MAX);
		return false;
	}
	list->items[list->n] =
	    arena_strndup(&r->config->arena, item.data, item.len);
	if (list->items[list->n] == NULL)
		r->no_memory = true;
	else
		list->n++;
	return true;
}

static void
store_list(struct reader *r, struct config_list *list, struct span value,
    char separator)
{
	while (value.data != NULL)
		if (!add_item(r, list, span_cut(&value, separator)))
			return;
}

/* One property of a form control, "max_length=48". */
static void
form_property(struct reader *r, struct form_control *c, struct span text)
{
	struct span value = text, name = span_trim(span_cut(&value, '='));
	struct arena *a = &r->config->arena;

	value = span_trim(value);
	if (span_is(name, "required") && value.data == NULL) {
		c->required = true;
	} else if (span_is(name, "default") && value.data != NULL) {
		c->fallback = arena_strndup(a, value.data, value.len);
	} else if (span_is(name, "max_length") &&
	    text_to_int64(value, 1, 1000000, &c->max_length)) {
		return;
	} else if (span_is(name, "options") && value.data != NULL) {
		store_list(r, &c->options, value, ';');
	} else {
		FAULT(r, "\"%.*s\" is no property of an input; use required, "
			 "default=TEXT, max_length=N or options=A;B;C",
		    (int)text.len, text.data);
	}
}

static const char *const form_kinds[] = {"text-input", "paragraph", "select",
    "number", "checkbox", "file", "file-list"};

static bool
form_kind_known(const char *kind)
{
	size_t i;

	for (i = 0; i < sizeof(form_kinds) / sizeof(form_kinds[0]); i++)
		if (strcmp(kind, form_kinds[i]) == 0)
			return true;
	return false;
}

static void
store_form_control(struct reader *r, struct bot_config *bot,
    struct span line)
{
	struct arena *a = &r->config->arena;
	struct span variable = span_trim(span_cut(&line, '|'));
	struct span kind = span_trim(span_cut(&line, '|'));
	struct span label = span_trim(span_cut(&line, '|'));
	struct form_control *grown, *c;
	size_t i;

	for (i = 0; i < variable.len; i++)
		if (!text_is_alnum(variable.data[i]) &&
		    variable.data[i] != '_')
			variable.len = 0;
	if (variable.len == 0 || kind.data == NULL || label.data == NULL) {
		FAULT(r, "an input is written VARIABLE | KIND | LABEL, with "
			 "letters, digits and _ in VARIABLE");
		return;
	}
	grown = arena_array(a, bot->n_form + 1, sizeof(*grown));
	if (grown == NULL) {
		r->no_memory = true;
		return;
	}
	if (bot->n_form > 0)
		memcpy(grown, bot->form, bot->n_form * sizeof(*grown));
	bot->form = grown;
	c = &grown[bot->n_form++];
	c->variable = arena_strndup(a, variable.data, variable.len);
	c->kind = arena_strndup(a, kind.data, kind.len);
	c->label = arena_strndup(a, label.data, label.len);
	if (c->variable == NULL || c->kind == NULL || c->label == NULL) {
		bot->n_form--;
		r->no_memory = true;
		return;
	}
	if (!form_kind_known(c->kind))
		FAULT(r, "\"%s\" is no kind of input; use text-input, "
			 "paragraph, select, number, checkbox, file or "
			 "file-list",
		    c->kind);
	while (line.data != NULL)
		form_property(r, c, span_trim(span_cut(&line, '|')));
	if (strcmp(c->kind, "select") == 0 && c->options.n == 0)
		FAULT(r, "the select \"%s\" has no options=A;B;C",
		    c->variable);
}

static void
store_network(struct reader *r, struct net_ranges *all, struct span text)
{
	struct net_range *grown;

	if (text.len == 0)
		return;
	grown = arena_array(&r->config->arena, all->n + 1, sizeof(*grown));
	if (grown == NULL) {
		r->no_memory = true;
		return;
	}
	if (all->n > 0)
		memcpy(grown, all->items, all->n * sizeof(*grown));
	all->items = grown;
	if (net_range_parse(text, &grown[all->n]))
		all->n++;
	else
		FAULT(r, "\"%.*s\" is no address, nor a range of them such as "
			 "192.0.2.0/24",
		    (int)text.len, text.data);
}

static bool
choice_allows(const char *choices, struct span value)
{
	struct span rest = span_of(choices);

	while (rest.data != NULL)
		if (span_equal(span_cut(&rest, '|'), value))
			return true;
	return false;
}

static bool
parse_bool(struct span value, bool *out)
{
	static const char *const yes[] = {"yes", "true", "on", "1"};
	static const char *const no[] = {"no", "false", "off", "0"};
	size_t i;

	for (i = 0; i < 4; i++) {
		if (span_is_nocase(value, yes[i]))
			return *out = true;
		if (span_is_nocase(value, no[i])) {
			*out = false;
			return true;
		}
	}
	return false;
}

static bool
parse_share(struct span value, double *out)
{
	char text[32], *end;

	if (value.len == 0 || value.len >= sizeof(text))
		return false;
	memcpy(text, value.data, value.len);
	text[value.len] = '\0';
	if (strspn(text, "0123456789.") != value.len)
		return false;
	*out = strtod(text, &end);
	return *end == '\0' && *out >= 0 && *out <= 1;
}

void
reader_store_value(struct reader *r, const struct setting *s, void *data,
    struct span value)
{
	struct arena *a = &r->config->arena;
	char *at = (char *)data + s->offset;
	const char *copy = arena_strndup(a, value.data, value.len);
	struct decimal decimal;

	if (copy == NULL) {
		r->no_memory = true;
		return;
	}
	switch (s->kind) {
	case SETTING_TEXT:
	case SETTING_SECRET:
		*(const char **)(void *)at = copy;
		break;
	case SETTING_PATH:
		if (copy[0] == '\0')
			FAULT(r, "%s is empty; name a path, or leave the line "
				 "out", s->name);
		*(const char **)(void *)at = absolute_path(r, copy);
		break;
	case SETTING_BOOL:
		if (!parse_bool(value, (bool *)at))
			FAULT(r, "%s is yes or no, not \"%s\"", s->name, copy);
		break;
	case SETTING_INT:
		if (!text_to_int64(value, s->min, s->max,
			(int64_t *)(void *)at))
			FAULT(r, "%s is a whole number from %lld to %lld, "
				 "not \"%s\" (%.*s)",
			    s->name, (long long)s->min, (long long)s->max,
			    copy, (int)strcspn(s->help, "\n"), s->help);
		break;
	case SETTING_SHARE:
		if (!parse_share(value, (double *)(void *)at))
			FAULT(r, "%s is a number from 0 to 1, not \"%s\"",
			    s->name, copy);
		break;
	case SETTING_DECIMAL:
		*(const char **)(void *)at = copy;
		if (!decimal_parse(copy, &decimal))
			FAULT(r, "%s is a decimal number such as 0.0015, not "
				 "\"%s\"",
			    s->name, copy);
		break;
	case SETTING_CHOICE:
		*(const char **)(void *)at = copy;
		if (!choice_allows(s->choices, value))
			FAULT(r, "%s is one of %s, not \"%s\"", s->name,
			    s->choices, copy);
		break;
	case SETTING_WORDS:
		store_list(r, (struct config_list *)(void *)at, value, ',');
		break;
	case SETTING_LINES:
		store_list(r, (struct config_list *)(void *)at, value, '\n');
		break;
	case SETTING_NETWORKS: /* the environment's replaces the file's */
		*(struct net_ranges *)(void *)at = (struct net_ranges){0};
		while (value.data != NULL)
			store_network(r, (struct net_ranges *)(void *)at,
			    span_trim(span_cut(&value, ',')));
		break;
	case SETTING_FORM:
		while (value.data != NULL)
			store_form_control(r, data, span_cut(&value, '\n'));
		break;
	}
}

void
reader_store_secret(struct reader *r, const struct setting *s, void *data,
    struct span value)
{
	struct arena *a = &r->config->arena;
	const char *path = arena_strndup(a, value.data, value.len);
	struct span text;
	size_t len;

	path = path == NULL ? NULL : absolute_path(r, path);
	if (path == NULL) {
		r->no_memory = true;
		return;
	}
	text.data = reader_file(a, path, SECRET_MAX_BYTES, &len);
	text.len = len;
	if (text.data == NULL) {
		FAULT(r, "%s_file: %s: %s", s->name, path, strerror(errno));
		return;
	}
	text = span_trim(text);
	if (text.len == 0 || text_breaks_line(text)) {
		FAULT(r, "%s_file: %s: must hold one line", s->name, path);
		return;
	}
	reader_store_value(r, s, data, text);
}
