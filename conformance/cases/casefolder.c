/* See casefolder.h. */
#include "casefolder.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "embedded.h"
#include "match/mem.h"

/* Where `make install` puts the cases; the Makefile may say otherwise. */
#ifndef DATADIR
#define DATADIR "/usr/local/share/parlance"
#endif

/* The folder of what is inside the program. */
#define INSIDE "(built in)"

static bool
is_inside(const char *path)
{
	return strncmp(path, INSIDE, strlen(INSIDE)) == 0;
}

static struct span
read_inside(const char *path)
{
	const struct embedded *e;

	for (e = embedded; e->name != NULL; e++)
		if (strcmp(e->name, path + strlen(INSIDE "/")) == 0)
			return span_of(e->text);
	errno = ENOENT;
	return SPAN_NONE;
}

struct span
casefolder_read(struct arena *a, const char *path)
{
	struct buf b = BUF_INIT(MEM_TEXT_MAX);
	FILE *file = fopen(path, "rb");
	char data[16384];
	size_t n;
	bool failed;

	if (file == NULL && is_inside(path))
		return read_inside(path);
	if (file == NULL)
		return SPAN_NONE;
	while ((n = fread(data, 1, sizeof(data), file)) > 0)
		buf_add(&b, data, n);
	failed = ferror(file) != 0;
	fclose(file);
	if (failed) {
		buf_release(&b);
		errno = EIO;
		return SPAN_NONE;
	}
	return mem_take(a, &b);
}

const struct jv *
casefolder_read_json(struct arena *a, const char *path)
{
	struct span text = casefolder_read(a, path);
	struct jv_error error;
	const struct jv *v;

	if (text.data == NULL) {
		fprintf(stderr, "chatconf: %s: %s\n", path, strerror(errno));
		return NULL;
	}
	v = jv_parse(a, text, true, &error);
	if (v == NULL)
		fprintf(stderr, "%s:%u: %s%s%s\n", path, error.line,
		    error.msg, error.name.len == 0 ? "" : ": ",
		    error.name.len == 0 ? "" : error.name.data);
	return v;
}

struct found {
	struct arena *arena;
	char **paths;
	size_t count;
};

static void
found_add(struct found *f, char *path)
{
	f->paths = mem_grow(f->paths, f->count, sizeof(*f->paths));
	f->paths[f->count++] = path;
}

static void
find_json(struct found *f, const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	struct stat st;
	char *path;

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		path = mem_printf(f->arena, "%s/%s", folder, entry->d_name);
		if (stat(path, &st) != 0)
			continue;
		if (S_ISDIR(st.st_mode))
			find_json(f, path);
		else if (span_ends(span_of(path), ".json"))
			found_add(f, path);
	}
	if (dir != NULL)
		closedir(dir);
}

static int
by_path(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sorted, NULL-terminated, in the arena. */
static char **
found_end(struct found *f)
{
	char **out = mem_array(f->arena, f->count + 1, sizeof(*out));

	if (f->count > 0) {
		qsort(f->paths, f->count, sizeof(*f->paths), by_path);
		memcpy(out, f->paths, f->count * sizeof(*out));
	}
	free(f->paths);
	return out;
}

/* As find_json, of what is inside: names that begin with prefix. */
static void
find_inside(struct found *f, const char *prefix, const char *middle)
{
	const struct embedded *e;
	struct span name;

	for (e = embedded; e->name != NULL; e++) {
		name = span_of(e->name);
		if (strncmp(e->name, prefix, strlen(prefix)) == 0 &&
		    strstr(e->name, middle) != NULL &&
		    span_ends(name, ".json"))
			found_add(f,
			    mem_printf(f->arena, INSIDE "/%s", e->name));
	}
}

char **
casefolder_find_cases(struct arena *a, const char *folder)
{
	struct found f = {.arena = a};
	DIR *dir;
	struct dirent *entry;

	if (is_inside(folder)) {
		find_inside(&f, "", "api/");
		return found_end(&f);
	}
	dir = opendir(folder);
	if (dir == NULL)
		return NULL;
	while ((entry = readdir(dir)) != NULL)
		if (span_ends(span_of(entry->d_name), "api"))
			find_json(&f,
			    mem_printf(a, "%s/%s", folder, entry->d_name));
	closedir(dir);
	return found_end(&f);
}

char **
casefolder_find_profiles(struct arena *a, const char *folder)
{
	struct found f = {.arena = a};
	size_t i;
	char *slash;

	if (is_inside(folder))
		find_inside(&f, "profiles/", "");
	else
		find_json(&f, mem_printf(a, "%s/profiles", folder));
	for (i = 0; i < f.count; i++) {
		slash = strrchr(f.paths[i], '/') + 1;
		f.paths[i] = mem_printf(a, "%.*s", (int)strlen(slash) - 5,
		    slash);
	}
	return found_end(&f);
}

bool
casefolder_write(const char *path, struct span text)
{
	FILE *file = strcmp(path, "-") == 0 ? stdout : fopen(path, "wb");
	bool good;

	good = file != NULL &&
	    fwrite(text.data, 1, text.len, file) == text.len &&
	    fflush(file) == 0;
	if (file != NULL && file != stdout && fclose(file) != 0)
		good = false;
	if (!good)
		fprintf(stderr, "chatconf: %s: %s\n", path, strerror(errno));
	return good;
}

const char *
casefolder_find(struct arena *a, const char *option)
{
	const char *from = option == NULL ? getenv("CHATCONF_CASES") : option;
	char self[4096], *slash, *beside;
	ssize_t n;

	if (from != NULL && *from != '\0')
		return from;
	n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (n > 0) {
		self[n] = '\0';
		slash = strrchr(self, '/');
		*slash = '\0';
		beside = mem_printf(a, "%s/../fixtures", self);
		if (access(mem_printf(a, "%s/profiles", beside), R_OK) == 0)
			return beside;
		beside = mem_printf(a, "%s/../share/parlance/fixtures", self);
		if (access(mem_printf(a, "%s/profiles", beside), R_OK) == 0)
			return beside;
	}
	if (access(DATADIR "/fixtures/profiles", R_OK) == 0)
		return DATADIR "/fixtures";
	return INSIDE;
}
