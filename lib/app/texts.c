/* What index/report.h knows, for people and for programs. */
#include "app/texts.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "app/examination.h"
#include "index/report.h"

#define ARENA_MAX ((size_t)256 << 20)
#define FINDINGS_MAX 20 /* files of one folder that a check names */

static bool
is_asked_for(const struct knowledge_config *k, const char *name)
{
	return k->folder != NULL &&
	    (name == NULL || strcmp(k->name, name) == 0);
}

static void
print_file(const struct knowledge_config *k, const struct report_file *f)
{
	if (f->fault != NULL)
		(void)fprintf(stderr, "%s: %s %s; skipped\n", k->name, f->path,
		    f->fault);
	else
		(void)fprintf(stderr, "%s: %s: %lld segments, %lld %% of its "
				      "text%s%s\n",
		    k->name, f->path, (long long)f->segments,
		    (long long)f->share, f->remark == NULL ? "" : "; it ",
		    f->remark == NULL ? "" : f->remark);
}

void
texts_print(const struct config *config, const char *name, bool all)
{
	struct report report;
	struct arena arena;
	size_t i, n;

	for (i = 0; i < config->n_knowledge; i++) {
		const struct knowledge_config *k = &config->knowledge[i];

		if (!is_asked_for(k, name))
			continue;
		arena_init(&arena, ARENA_MAX);
		if (report_read(config, k, all, &arena, &report) == ERR_NONE) {
			for (n = 0; n < report.n; n++)
				print_file(k, &report.files[n]);
			if (report.unnamed > 0)
				(void)fprintf(stderr, "%s: and %zu more that "
						      "are left out\n",
				    k->name, report.unnamed);
		}
		arena_release(&arena);
	}
}

static void
add_text(struct json_object *o, const char *name, const char *text)
{
	(void)json_object_object_add(o, name,
	    text == NULL ? NULL : json_object_new_string(text));
}

static struct json_object *
json_of_folder(const struct config *config, const struct knowledge_config *k)
{
	struct json_object *o = json_object_new_object(), *files, *one;
	struct report report;
	struct arena arena;
	enum err err;
	size_t i;

	arena_init(&arena, ARENA_MAX);
	err = report_read(config, k, true, &arena, &report);
	add_text(o, "name", k->name);
	add_text(o, "folder", k->folder);
	add_text(o, "fault", err == ERR_NONE ? NULL
	    : err == ERR_IO ? "this user may not read the folder"
			    : err_text(err));
	files = json_object_new_array();
	for (i = 0; i < report.n; i++) {
		const struct report_file *f = &report.files[i];

		one = json_object_new_object();
		add_text(one, "path", f->path);
		(void)json_object_object_add(one, "segments",
		    json_object_new_int64(f->segments));
		(void)json_object_object_add(one, "share",
		    json_object_new_int64(f->share));
		add_text(one, "left_out", f->fault);
		add_text(one, "remark", f->remark);
		(void)json_object_array_add(files, one);
	}
	(void)json_object_object_add(o, "files", files);
	(void)json_object_object_add(o, "unnamed",
	    json_object_new_int64((int64_t)report.unnamed));
	arena_release(&arena);
	return o;
}

void
texts_print_json(const struct config *config, const char *name)
{
	struct json_object *o = json_object_new_object();
	struct json_object *list = json_object_new_array();
	size_t i;

	for (i = 0; i < config->n_knowledge; i++)
		if (is_asked_for(&config->knowledge[i], name))
			(void)json_object_array_add(list,
			    json_of_folder(config, &config->knowledge[i]));
	(void)json_object_object_add(o, "knowledge", list);
	(void)printf("%s\n", json_object_to_json_string_ext(o,
	    JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE));
	(void)json_object_put(o);
}

static void
report_file(struct examination *e, const struct knowledge_config *k,
    const struct report_file *f)
{
	char fix[FIX_MAX], path[FIX_MAX / 2];

	(void)snprintf(path, sizeof(path), "%s/%s", k->folder, f->path);
	if (strstr(f->fault, "this user") != NULL)
		finding(e, FINDING_WRONG, NULL,
		    fix_path(fix, "chmod -R a+rX", path), "%s of [knowledge "
		    "%s] %s", f->path, k->name, f->fault);
	else
		finding(e, FINDING_NOTE, NULL,
		    strstr(f->fault, "pdftotext (") == NULL
			? NULL
			: "apt-get install poppler-utils",
		    "%s of [knowledge %s] is left out: it %s", f->path,
		    k->name, f->fault);
}

void
check_texts(struct examination *e)
{
	const struct config *c = e->config;
	struct report report;
	struct arena arena;
	size_t i, n;

	for (i = 0; i < c->n_knowledge; i++) {
		const struct knowledge_config *k = &c->knowledge[i];

		if (k->folder == NULL)
			continue;
		arena_init(&arena, ARENA_MAX);
		if (report_read(c, k, false, &arena, &report) != ERR_NONE) {
			arena_release(&arena);
			continue; /* check_knowledge_folders() says why */
		}
		for (n = 0; n < report.n && n < FINDINGS_MAX; n++)
			report_file(e, k, &report.files[n]);
		if (report.n + report.unnamed > n)
			finding(e, FINDING_NOTE, NULL, NULL, "and %zu more of "
			    "[knowledge %s] are left out: `parlance index %s` "
			    "names them", report.n + report.unnamed - n,
			    k->name, k->name);
		else if (n == 0)
			finding(e, FINDING_OK, NULL, NULL,
			    "no file of [knowledge %s] is left out", k->name);
		arena_release(&arena);
	}
}
