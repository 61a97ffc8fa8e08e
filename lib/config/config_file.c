/*
 * Reading parlance.conf.
 *
 * The text is walked line by line.  A section header makes a new record
 * (struct bot_config, ...) with its defaults; a setting is looked up in the
 * table and stored at its offset.  Faults are collected, so that one run
 * names them all.  What needs the whole file (does this bot's engine exist?)
 * is checked at the end, in config_check.c.
 */
#include "config/config_file.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "base/utf8.h"
#include "base/uuid.h"
#include "config/config_value.h"

#define FILE_MAX_BYTES (4U << 20)

static const size_t record_size[SECTION_COUNT] = {
    [SECTION_SERVER] = sizeof(struct server_config),
    [SECTION_KEY] = sizeof(struct key_config),
    [SECTION_BOT] = sizeof(struct bot_config),
    [SECTION_ENGINE] = sizeof(struct engine_config),
    [SECTION_KNOWLEDGE] = sizeof(struct knowledge_config),
    [SECTION_SITE] = sizeof(struct site_config),
};

/* The nearest of a few words, or NULL when none is near. */
static void
nearest(const char *word, const char *candidate, const char **best,
    size_t *best_distance)
{
	size_t distance = text_distance(word, candidate);

	if (distance < *best_distance) {
		*best = candidate;
		*best_distance = distance;
	}
}

static size_t
near_enough(const char *word)
{
	size_t len = strlen(word);

	return len < 8 ? 3 : 4; /* fewer changes than this */
}

static const struct setting *
find_setting(enum section_kind section, struct span name, bool *file)
{
	size_t i;

	*file = false;
	for (i = 0; i < settings_count; i++)
		if (settings[i].section == section &&
		    span_is(name, settings[i].name))
			return &settings[i];
	if (!span_ends(name, "_file"))
		return NULL;
	name.len -= strlen("_file");
	*file = true;
	for (i = 0; i < settings_count; i++)
		if (settings[i].section == section &&
		    settings[i].kind == SETTING_SECRET &&
		    span_is(name, settings[i].name))
			return &settings[i];
	return NULL;
}

static void
unknown_setting(struct reader *r, enum section_kind section,
    struct span name)
{
	const char *word = arena_strndup(&r->config->arena, name.data,
	    name.len);
	const char *best = NULL;
	const struct record *record = r->current;
	size_t distance, i;

	if (word == NULL) {
		r->no_memory = true;
		return;
	}
	distance = near_enough(word);
	for (i = 0; i < settings_count; i++)
		if (settings[i].section == section)
			nearest(word, settings[i].name, &best, &distance);
	FAULT(r, "unknown setting \"%s\" in [%s%s%s]; %s%s%s", word,
	    sections[section].word, record->name == NULL ? "" : " ",
	    record->name == NULL ? "" : record->name,
	    best == NULL ? "see: parlance help config" : "did you mean \"",
	    best == NULL ? "" : best, best == NULL ? "" : "\"?");
}

static bool
repeats(const struct setting *s)
{
	return s->kind == SETTING_LINES || s->kind == SETTING_FORM;
}

static void
read_setting(struct reader *r, struct span name, struct span value)
{
	const struct setting *s;
	size_t index;
	bool file;

	if (r->current == NULL) {
		FAULT(r, "a setting before the first [section]");
		return;
	}
	s = find_setting(r->current->kind, name, &file);
	if (s == NULL) {
		unknown_setting(r, r->current->kind, name);
		return;
	}
	index = (size_t)(s - settings);
	if (r->current->set[index] && !repeats(s)) {
		FAULT(r, "%s is given twice in this section", s->name);
		return;
	}
	r->current->set[index] = true;
	if (file)
		reader_store_secret(r, s, r->current->data, value);
	else
		reader_store_value(r, s, r->current->data, value);
}

static bool
make_room(struct reader *r)
{
	struct record **more;

	if (r->n_records < r->room)
		return true;
	r->room = r->room == 0 ? 16 : r->room * 2;
	more = arena_array(&r->config->arena, r->room, sizeof(struct record *));
	if (more == NULL)
		return false;
	if (r->n_records > 0)
		memcpy(more, r->records, r->n_records *
		    sizeof(struct record *));
	r->records = more;
	return true;
}

static struct record *
add_record(struct reader *r, enum section_kind kind, const char *name)
{
	struct arena *a = &r->config->arena;
	struct record *record = arena_alloc(a, sizeof(*record));
	void *data = kind == SECTION_SERVER
	    ? (void *)&r->config->server
	    : arena_alloc(a, record_size[kind]);

	if (r->n_records == RECORDS_MAX) {
		FAULT(r, "more than %d sections", RECORDS_MAX);
		return NULL;
	}
	if (record == NULL || data == NULL || !make_room(r)) {
		r->no_memory = true;
		return NULL;
	}
	*record = (struct record){.kind = kind, .name = name,
	    .line = r->line, .data = data};
	r->records[r->n_records++] = record;
	return record;
}

static void
unknown_section(struct reader *r, struct span word)
{
	char text[65];
	const char *best = NULL;
	size_t distance, i;

	(void)snprintf(text, sizeof(text), "%.*s", (int)word.len, word.data);
	distance = near_enough(text);
	for (i = 0; i < SECTION_COUNT; i++)
		nearest(text, sections[i].word, &best, &distance);
	FAULT(r, "unknown section [%s]; %s%s%s", text,
	    best == NULL ? "there are server, key, bot, engine, "
			   "knowledge and site"
			 : "did you mean [",
	    best == NULL ? "" : best, best == NULL ? "" : "]?");
}

static void
wrong_name(struct reader *r, const struct section *section)
{
	if (section->named == NULL)
		FAULT(r, "write [%s], without a name", section->word);
	else
		FAULT(r, "write [%s %s]; %s has 1 to 64 characters and "
			 "none of space, [ ] \" ' / \\",
		    section->word, section->named, section->named);
}

static void
read_section(struct reader *r, struct span inside)
{
	struct span rest = span_trim(inside), word = span_cut(&rest, ' ');
	struct span name = span_trim(rest);
	const char *copy = NULL;
	size_t kind, i;

	r->current = NULL;
	for (kind = 0; kind < SECTION_COUNT; kind++)
		if (span_is(word, sections[kind].word))
			break;
	if (kind == SECTION_COUNT) {
		unknown_section(r, word);
		/* Its settings are not judged: one fault is enough. */
		r->current = NULL;
		return;
	}
	if (sections[kind].named == NULL ? name.len > 0
					 : !config_name_allowed(name)) {
		wrong_name(r, &sections[kind]);
		return;
	}
	if (name.len > 0) {
		copy = arena_strndup(&r->config->arena, name.data, name.len);
		if (copy == NULL) {
			r->no_memory = true;
			return;
		}
	}
	for (i = 0; i < r->n_records; i++) {
		const struct record *other = r->records[i];

		if (other->kind != (enum section_kind)kind ||
		    (copy != NULL && strcmp(other->name, copy) != 0))
			continue;
		FAULT(r, "[%.*s] stands on line %d already", (int)inside.len,
		    inside.data, other->line);
	}
	r->current = add_record(r, (enum section_kind)kind, copy);
}

/* Is the next line a continuation: indented, with something on it? */
static bool
continues(struct span text)
{
	struct span line = span_cut(&text, '\n');

	return line.len > 0 && (line.data[0] == ' ' || line.data[0] == '\t') &&
	    span_trim(line).len > 0;
}

/* The rest of a value on indented lines, joined by LF. */
static struct span
read_continuation(struct reader *r, struct span first, struct span *rest)
{
	struct buf joined = BUF_INIT(1U << 20);
	struct span value = first;

	if (!continues(*rest))
		return first;
	buf_add(&joined, first.data, first.len);
	while (continues(*rest)) {
		struct span line = span_trim(span_cut(rest, '\n'));

		r->line++;
		if (joined.len > 0)
			buf_addc(&joined, '\n');
		/* A lone "." is an empty line. */
		if (!span_is(line, "."))
			buf_add(&joined, line.data, line.len);
	}
	if (buf_err(&joined) != ERR_NONE)
		r->no_memory = true;
	value.data = arena_strndup(&r->config->arena, buf_text(&joined),
	    joined.len);
	value.len = joined.len;
	if (value.data == NULL) {
		r->no_memory = true;
		value = SPAN("");
	}
	buf_release(&joined);
	return value;
}

static void
read_lines(struct reader *r, struct span text)
{
	bool skip = false; /* inside a section that is not known */

	if (span_starts(text, "\xEF\xBB\xBF"))
		text = (struct span){text.data + 3, text.len - 3};
	for (r->line = 1; text.data != NULL; r->line++) {
		struct span line = span_trim(span_cut(&text, '\n')), name;
		int start = r->line;

		if (line.len == 0 || line.data[0] == '#' ||
		    line.data[0] == ';')
			continue;
		if (line.data[0] == '[') {
			if (!span_ends(line, "]")) {
				FAULT(r, "the section's ] is missing");
				skip = true;
				continue;
			}
			read_section(r, (struct span){line.data + 1,
			    line.len - 2});
			skip = r->current == NULL;
			continue;
		}
		name = span_trim(span_cut(&line, '='));
		line = line.data == NULL ? line : span_trim(line);
		if (line.data == NULL) {
			if (!skip)
				FAULT(r, "neither [section] nor name = value");
			continue;
		}
		line = read_continuation(r, line, &text);
		if (skip)
			continue;
		if (r->line != start) {
			int last = r->line;

			r->line = start;
			read_setting(r, name, line);
			r->line = last;
		} else {
			read_setting(r, name, line);
		}
	}
	r->line = 0;
}

static void
apply_defaults(struct reader *r, struct record *record)
{
	size_t i;

	for (i = 0; i < settings_count; i++)
		if (settings[i].section == record->kind &&
		    !record->set[i] && settings[i].fallback != NULL)
			reader_store_value(r, &settings[i], record->data,
			    span_of(settings[i].fallback));
}

/* PARLANCE_SERVER_BASE_PATH=/app and its like; PARLANCE_STATE. */
static void
apply_environment(struct reader *r, struct record *server)
{
	char name[128];
	size_t i, k;

	for (i = 0; i < settings_count; i++) {
		const struct setting *s = &settings[i];
		const char *value;

		if (s->section != SECTION_SERVER)
			continue;
		(void)snprintf(name, sizeof(name), "PARLANCE_SERVER_%s",
		    s->name);
		for (k = 0; name[k] != '\0'; k++)
			name[k] = text_upper(name[k]);
		value = getenv(name);
		if (strcmp(s->name, "state") == 0 &&
		    getenv("PARLANCE_STATE") != NULL)
			value = getenv("PARLANCE_STATE");
		if (value == NULL || value[0] == '\0')
			continue;
		server->set[i] = true;
		r->file = "environment";
		reader_store_value(r, s, server->data, span_of(value));
	}
}

/* Lays the records of one kind out as an array. */
static void *
gather(struct reader *r, enum section_kind kind, size_t extra, size_t *n)
{
	char *all;
	size_t i, at = 0;

	*n = 0;
	for (i = 0; i < r->n_records; i++)
		*n += r->records[i]->kind == kind;
	all = arena_array(&r->config->arena, *n + extra, record_size[kind]);
	if (all == NULL) {
		r->no_memory = true;
		*n = 0;
		return NULL;
	}
	for (i = 0; i < r->n_records; i++)
		if (r->records[i]->kind == kind)
			memcpy(all + at++ * record_size[kind],
			    r->records[i]->data, record_size[kind]);
	return all;
}

/* Writes the section's name and line into its own struct. */
static void
name_record(struct record *record)
{
	switch (record->kind) {
	case SECTION_COUNT:
		break;
	case SECTION_SERVER:
		((struct server_config *)record->data)->line = record->line;
		break;
	case SECTION_KEY:
		((struct key_config *)record->data)->name = record->name;
		((struct key_config *)record->data)->line = record->line;
		break;
	case SECTION_BOT:
		((struct bot_config *)record->data)->slug = record->name;
		((struct bot_config *)record->data)->line = record->line;
		break;
	case SECTION_ENGINE:
		((struct engine_config *)record->data)->name = record->name;
		((struct engine_config *)record->data)->line = record->line;
		break;
	case SECTION_KNOWLEDGE:
		((struct knowledge_config *)record->data)->name =
		    record->name;
		((struct knowledge_config *)record->data)->line =
		    record->line;
		break;
	case SECTION_SITE:
		((struct site_config *)record->data)->name = record->name;
		((struct site_config *)record->data)->line = record->line;
		break;
	}
}

/* "https://my.site/" is "https://my.site". */
static void
finish_server(struct config *c)
{
	struct span url = span_of(c->server.public_url);

	while (span_ends(url, "/"))
		url.len--;
	if (url.len > 0 || c->server.public_url == NULL)
		c->server.public_url = url.len == 0 ? NULL
		    : arena_strndup(&c->arena, url.data, url.len);
}

static void
finish_bots(struct config *c)
{
	char uid[UUID_TEXT];
	size_t i;

	for (i = 0; i < c->n_bots; i++) {
		struct bot_config *bot = &c->bots[i];

		if (bot->name == NULL)
			bot->name = bot->slug;
		if (bot->site_title == NULL)
			bot->site_title = bot->name;
		if (bot->uid == NULL) {
			uuid_from_name("bot", span_of(bot->slug), uid);
			bot->uid = arena_strdup(&c->arena, uid);
		}
	}
	for (i = 0; i < c->n_knowledge; i++) {
		struct knowledge_config *k = &c->knowledge[i];

		if (k->title == NULL)
			k->title = k->name;
		if (k->id == NULL) {
			uuid_from_name("knowledge", span_of(k->name), uid);
			k->id = arena_strdup(&c->arena, uid);
		}
	}
}

static void
finish_sites(struct config *c)
{
	char app_id[UUID_TEXT];
	size_t i, k;

	for (i = 0; i < c->n_sites; i++) {
		struct site_config *site = &c->sites[i];

		uuid_from_name("parlance site", span_of(site->name), app_id);
		site->app_id = arena_strdup(&c->arena, app_id);
		for (k = 0; k < c->n_bots && site->bot != NULL; k++)
			if (site->title == NULL &&
			    strcmp(c->bots[k].slug, site->bot) == 0)
				site->title = c->bots[k].name;
	}
}

/* The engine that needs no section. */
static void
add_builtin(struct config *c)
{
	size_t i;

	for (i = 0; i < c->n_engines; i++)
		if (strcmp(c->engines[i].name, "builtin") == 0)
			return;
	c->engines[c->n_engines++] = (struct engine_config){
	    .name = "builtin", .kind = "builtin", .proxy = ""};
}

static void
finish(struct reader *r)
{
	struct config *c = r->config;
	struct record *server = NULL;
	size_t i;

	for (i = 0; i < r->n_records; i++)
		if (r->records[i]->kind == SECTION_SERVER)
			server = r->records[i];
	if (server == NULL)
		server = add_record(r, SECTION_SERVER, NULL);
	if (server == NULL)
		return;
	apply_environment(r, server);
	for (i = 0; i < r->n_records; i++) {
		apply_defaults(r, r->records[i]);
		name_record(r->records[i]);
	}
	c->keys = gather(r, SECTION_KEY, 0, &c->n_keys);
	c->bots = gather(r, SECTION_BOT, 0, &c->n_bots);
	c->engines = gather(r, SECTION_ENGINE, 1, &c->n_engines);
	c->knowledge = gather(r, SECTION_KNOWLEDGE, 0, &c->n_knowledge);
	c->sites = gather(r, SECTION_SITE, 0, &c->n_sites);
	if (r->no_memory)
		return;
	add_builtin(c);
	finish_server(c);
	finish_bots(c);
	finish_sites(c);
}

/* The absolute path of the file, and its folder. */
static bool
locate(struct config *c, const char *path)
{
	char here[PATH_MAX];
	const char *slash;

	if (path[0] != '/' && getcwd(here, sizeof(here)) != NULL)
		c->path = arena_printf(&c->arena, "%s/%s", here, path);
	else
		c->path = arena_strdup(&c->arena, path);
	if (c->path == NULL)
		return false;
	slash = strrchr(c->path, '/');
	c->folder = slash == NULL
	    ? "."
	    : arena_strndup(&c->arena, c->path, (size_t)(slash - c->path));
	return c->folder != NULL;
}

/* Names the first line that is not UTF-8, or holds a NUL. */
static void
check_text(struct reader *r, struct span text)
{
	struct span line;

	for (r->line = 1; text.data != NULL; r->line++) {
		line = span_cut(&text, '\n');
		if (utf8_valid(line, false) && (line.len == 0 ||
			memchr(line.data, 0, line.len) == NULL))
			continue;
		FAULT(r, "this line is not UTF-8 text; let your editor save "
			 "the file as UTF-8");
		break;
	}
}

enum err
config_read(const char *path, struct config **config, struct buf *faults)
{
	struct config *c = calloc(1, sizeof(*c));
	struct reader *r = calloc(1, sizeof(*r));
	const char *slash = strrchr(path, '/');
	enum err err = ERR_MEMORY;
	struct span text;
	size_t len;

	*config = NULL;
	if (c == NULL || r == NULL)
		goto out;
	arena_init(&c->arena, 64U << 20);
	if (!locate(c, path))
		goto out;
	*r = (struct reader){.config = c, .faults = faults,
	    .file = slash == NULL ? path : slash + 1};
	text.data = reader_file(&c->arena, path, FILE_MAX_BYTES, &len);
	text.len = len;
	if (text.data == NULL) {
		config_fault(faults, path, 0, "%s%s",
		    errno == EINVAL ? "is not a file" : strerror(errno),
		    errno == ENOENT
			? "; put it beside the program, or name it "
			  "with PARLANCE_CONFIG"
			: "");
		err = ERR_CONFIG;
		goto out;
	}
	check_text(r, text);
	read_lines(r, text);
	finish(r);
	if (r->no_memory || buf_err(faults) == ERR_MEMORY)
		goto out;
	config_check(c, slash == NULL ? path : slash + 1, faults);
	err = faults->len == 0 ? ERR_NONE : ERR_CONFIG;
out:
	free(r);
	if (err == ERR_NONE)
		*config = c;
	else
		config_free(c);
	return err;
}

/* The folder of this program, or false. */
static bool
program_folder(char folder[PATH_MAX])
{
	const char *started = (const char *)getauxval(AT_EXECFN);
	ssize_t n = readlink("/proc/self/exe", folder, PATH_MAX - 1);
	char *slash;

	if (n > 0) {
		folder[n] = '\0';
	} else if (started != NULL && strlen(started) < PATH_MAX) {
		/* A jail without /proc: the kernel's word for what it ran. */
		(void)strcpy(folder, started);
	} else {
		return false;
	}
	slash = strrchr(folder, '/');
	if (slash != NULL)
		*slash = '\0';
	return true;
}

void
config_find(char *out, size_t size, struct buf *places)
{
	const char *named = getenv("PARLANCE_CONFIG");
	char folder[PATH_MAX];

	if (named != NULL && named[0] != '\0') {
		(void)snprintf(out, size, "%s", named);
		return;
	}
	if (program_folder(folder)) {
		(void)snprintf(out, size, "%s/parlance.conf", folder);
		if (places != NULL)
			buf_printf(places, "%s, ", out);
		if (access(out, F_OK) == 0)
			return;
	}
	(void)snprintf(out, size, "/etc/parlance/parlance.conf");
	if (places != NULL)
		buf_adds(places, out);
}
