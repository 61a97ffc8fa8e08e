/* A walk with fstatat(2), in the order of the names. */
#include "documents/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "documents/documents.h"

struct walk {
	const struct knowledge_config *k;
	struct arena *arena;
	struct folder_list *list;
	char *root; /* the folder without links */
};

static bool
is_wanted(const struct knowledge_config *k, const char *name)
{
	size_t i;

	if (k->patterns.n == 0)
		return document_is_known(name);
	for (i = 0; i < k->patterns.n; i++)
		if (fnmatch(k->patterns.items[i], name, 0) == 0)
			return true;
	return false;
}

static enum err
add_file(struct walk *w, const char *path, const struct stat *st)
{
	struct folder_list *l = w->list;
	struct folder_file *files;

	if (l->n == FOLDER_FILES_MAX) {
		l->cut = true;
		return ERR_NONE;
	}
	if (l->n == l->size) {
		files = reallocarray(l->files, l->size == 0 ? 64 : l->size * 2,
		    sizeof(*files));
		if (files == NULL)
			return ERR_MEMORY;
		l->files = files;
		l->size = l->size == 0 ? 64 : l->size * 2;
	}
	l->files[l->n++] = (struct folder_file){path, st->st_size,
	    st->st_mtim.tv_sec * INT64_C(1000000000) + st->st_mtim.tv_nsec};
	return ERR_NONE;
}

static enum err
leave_out(struct walk *w, const char *path, const char *why)
{
	struct folder_list *l = w->list;

	if (path == NULL)
		return ERR_MEMORY;
	if (l->n_left_out < FOLDER_NAMED_MAX)
		l->left_out[l->n_left_out] = (struct folder_omission){path,
		    why};
	l->n_left_out++;
	return ERR_NONE;
}

/* Does the link lead to something within the folder? */
static bool
leads_inside(const struct walk *w, const char *path)
{
	char *link = NULL, *target = NULL;
	size_t len = strlen(w->root);
	bool inside = false;

	if (asprintf(&link, "%s/%s", w->root, path) >= 0)
		target = realpath(link, NULL);
	if (target != NULL)
		inside = strncmp(target, w->root, len) == 0 &&
		    target[len] == '/';
	if (len == 1) /* the folder is / */
		inside = true;
	free(target);
	free(link);
	return inside;
}

static enum err walk_folder(struct walk *w, int fd, const char *path,
    int depth);

static enum err
take_entry(struct walk *w, int fd, const char *folder, const char *name,
    int depth)
{
	struct stat st, target;
	const char *path;
	bool is_link;
	int below;

	if (name[0] == '.' || fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return ERR_NONE;
	is_link = S_ISLNK(st.st_mode);
	if (is_link && (fstatat(fd, name, &target, 0) != 0 ||
	    !S_ISREG(target.st_mode)))
		target = st;
	if (S_ISREG((is_link ? target : st).st_mode) &&
	    !is_wanted(w->k, name) && (w->k->patterns.n > 0 ||
	    !document_is_unread(name))) {
		if (w->k->patterns.n == 0 && w->list->others++ == 0)
			w->list->other = arena_strdup(w->arena, name);
		return ERR_NONE;
	}
	path = folder[0] == '\0'
	    ? arena_strdup(w->arena, name)
	    : arena_printf(w->arena, "%s/%s", folder, name);
	if (path == NULL)
		return ERR_MEMORY;
	if (is_link && !S_ISREG(target.st_mode))
		return leave_out(w, path, "is a link to no file");
	if (is_link && !w->k->outside_links && !leads_inside(w, path))
		return leave_out(w, path, "is a link to a file outside the "
					  "folder (see outside_links)");
	if (is_link)
		st = target;
	if (S_ISREG(st.st_mode) && !is_wanted(w->k, name))
		return leave_out(w, path, "is of a kind that is not read");
	if (S_ISREG(st.st_mode))
		return add_file(w, path, &st);
	if (!S_ISDIR(st.st_mode))
		return ERR_NONE;
	if (depth == FOLDER_DEPTH_MAX)
		return leave_out(w, path, "is a folder too deep");
	below = openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW |
		O_CLOEXEC);
	if (below < 0)
		return leave_out(w, path, errno == EACCES
			? "is a folder that this user may not enter"
			: "is a folder that cannot be read");
	return walk_folder(w, below, path, depth + 1);
}

/* Takes fd over. */
static enum err
walk_folder(struct walk *w, int fd, const char *path, int depth)
{
	DIR *dir = fdopendir(fd);
	struct dirent *entry;
	enum err err = ERR_NONE;

	if (dir == NULL) {
		(void)close(fd);
		return ERR_MEMORY;
	}
	while (err == ERR_NONE && (entry = readdir(dir)) != NULL)
		err = take_entry(w, fd, path, entry->d_name, depth);
	(void)closedir(dir);
	return err;
}

static int
by_path(const void *a, const void *b)
{
	const struct folder_file *x = a, *y = b;

	return strcmp(x->path, y->path);
}

enum err
folder_read(const struct knowledge_config *k, struct arena *arena,
    struct folder_list *list)
{
	struct walk w = {.k = k, .arena = arena, .list = list};
	enum err err;
	int fd;

	*list = (struct folder_list){.n = 0};
	fd = open(k->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? ERR_NOT_FOUND
							   : ERR_IO;
	w.root = realpath(k->folder, NULL);
	if (w.root == NULL) {
		(void)close(fd);
		return ERR_MEMORY;
	}
	err = walk_folder(&w, fd, "", 0);
	free(w.root);
	if (list->n > 1)
		qsort(list->files, list->n, sizeof(*list->files), by_path);
	return err;
}

void
folder_release(struct folder_list *list)
{
	free(list->files);
	*list = (struct folder_list){.n = 0};
}
