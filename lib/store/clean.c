/* Looks through the rows of files, a thousand at a time. */
#include "store/clean.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/uuid.h"
#include "config/config.h"
#include "store/files.h"
#include "store/retention.h"
#include "store/upload_bytes.h"

#define STEP 1000
#define DAY_US (INT64_C(86400) * 1000000)
#define DAY_S 86400
#define ARENA_MAX ((size_t)1 << 20)
/* Names in files/ while an upload is being written, behind its id; and in the
 * state folder of a document while it is converted, before its id. */
#define PART ".part"
#define UPLOAD "upload-"

struct step {
	const struct config *config;
	bool now; /* also when it is not time yet */
	int64_t now_us;
	struct arena arena;
	struct unneeded_file *files;
	size_t n;
	bool done; /* nothing is left to look at */
};

static enum err
read_progress(struct db *db, int64_t *reached, int64_t *finished_us)
{
	static const char sql[] =
	    "SELECT reached, finished_us FROM cleaning WHERE id = 1";
	struct db_stmt *s = db_prepare(db, sql);
	bool row;
	enum err err = db_step(s, &row);

	*reached = *finished_us = 0;
	if (err == ERR_NONE && row) {
		*reached = db_int(s, 0);
		*finished_us = db_int(s, 1);
	}
	db_done(s);
	return err;
}

static enum err
write_progress(struct db *db, int64_t reached, int64_t finished_us)
{
	static const char sql[] = "UPDATE cleaning SET reached = ?, "
	    "finished_us = ? WHERE id = 1";
	struct db_stmt *s = db_prepare(db, sql);

	db_bind_int(s, 1, reached);
	db_bind_int(s, 2, finished_us);
	return db_run(s);
}

/* Is there something to do?  A clock that was set back does not stop it. */
static bool
is_due(const struct step *step, int64_t reached, int64_t finished_us)
{
	return step->now || reached != 0 ||
	    step->now_us - finished_us >= DAY_US ||
	    finished_us > step->now_us;
}

/* A store_change: takes the rows of one step away. */
static enum err
remove_rows(struct db *db, void *arg)
{
	struct step *step = arg;
	int64_t before_us = step->now_us -
	    step->config->server.upload_days * DAY_US;
	int64_t reached, finished_us;
	size_t i;
	enum err err = read_progress(db, &reached, &finished_us);

	step->n = 0;
	step->done = true;
	if (err != ERR_NONE || !is_due(step, reached, finished_us))
		return err;
	err = files_unneeded(db, before_us, &reached, STEP, &step->arena,
	    &step->files, &step->n);
	for (i = 0; i < step->n && err == ERR_NONE; i++) {
		err = files_remove(db, step->files[i].seq);
		if (err == ERR_NOT_FOUND) { /* a message needs it now */
			step->files[i].id = NULL;
			err = ERR_NONE;
		}
	}
	if (err == ERR_NONE)
		err = write_progress(db, reached,
		    reached == 0 ? step->now_us : finished_us);
	step->done = reached == 0;
	return err;
}

/* One step; *done: it was the last one. */
static enum err
take_step(const struct config *config, struct store_pool *stores, bool now,
    struct clean_counts *counts, bool *done)
{
	struct step step = {.config = config, .now = now,
	    .now_us = clock_now_us()};
	enum err err, one;
	size_t i;

	arena_init(&step.arena, ARENA_MAX);
	err = store_write_durable(stores, remove_rows, &step);
	*done = err != ERR_NONE || step.done;
	for (i = 0; err == ERR_NONE && i < step.n; i++) {
		if (step.files[i].id == NULL)
			continue;
		one = upload_bytes_remove(config, "/files", step.files[i].id);
		counts->uploads += one == ERR_NONE;
		counts->bytes += one == ERR_NONE ? step.files[i].size : 0;
	}
	arena_release(&step.arena);
	return err;
}

/* Is it time?  Asked without a transaction that writes. */
static bool
is_time(struct store_pool *stores)
{
	struct step step = {.now_us = clock_now_us()};
	int64_t reached, finished_us;
	struct db *db;
	bool due;

	if (store_lease(stores, &db) != ERR_NONE)
		return false;
	due = read_progress(db, &reached, &finished_us) == ERR_NONE &&
	    is_due(&step, reached, finished_us);
	store_return(stores, db);
	return due;
}

void
clean_some(const struct config *config, struct store_pool *stores)
{
	struct clean_counts counts = {0};
	bool done;
	enum err err;

	retention_some(config, stores);
	if (config->server.upload_days == 0 || !is_time(stores))
		return;
	err = take_step(config, stores, false, &counts, &done);
	if (err != ERR_NONE)
		log_error("clean: %s", err_text(err));
}

/* ---- leftovers ----------------------------------------------------------- */

/* Is it a name that we give?  *id: a row may have it; empty: none has. */
static bool
read_name(const char *name, bool of_uploads, struct span *id)
{
	struct span all = span_of(name), uuid = all;

	*id = SPAN_NONE;
	if (of_uploads && span_ends(all, PART)) {
		uuid.len -= strlen(PART);
	} else if (of_uploads) {
		*id = all;
	} else if (span_starts(all, UPLOAD) &&
	    all.len >= strlen(UPLOAD) + UUID_TEXT - 1) {
		uuid.data += strlen(UPLOAD);
		uuid.len = UUID_TEXT - 1;
	}
	return uuid_is_hyphenated(uuid) && (of_uploads || uuid.len < all.len);
}

/* An old file of ours that no row names? */
static enum err
is_leftover(struct db *db, DIR *folder, bool of_uploads, const char *name,
    struct stat *st, bool *leftover)
{
	bool known = false;
	struct span id;
	enum err err = ERR_NONE;

	*leftover = false;
	if (!read_name(name, of_uploads, &id) ||
	    fstatat(dirfd(folder), name, st, AT_SYMLINK_NOFOLLOW) != 0 ||
	    !S_ISREG(st->st_mode) ||
	    clock_now_us() / 1000000 - st->st_mtime < DAY_S)
		return ERR_NONE;
	if (id.len > 0)
		err = files_exist(db, id, &known);
	*leftover = err == ERR_NONE && !known;
	return err;
}

static enum err
remove_leftovers(const struct config *config, struct db *db, const char *sub,
    struct clean_counts *counts)
{
	struct dirent *entry;
	char path[4200];
	struct stat st;
	DIR *folder;
	bool leftover;
	enum err err = ERR_NONE;

	(void)snprintf(path, sizeof(path), "%s%s", config->server.state, sub);
	folder = opendir(path);
	if (folder == NULL)
		return ERR_NONE; /* nothing was uploaded yet */
	while (err == ERR_NONE && (entry = readdir(folder)) != NULL) {
		err = is_leftover(db, folder, sub[0] != '\0', entry->d_name,
		    &st, &leftover);
		if (err != ERR_NONE || !leftover)
			continue;
		err = upload_bytes_remove(config, sub, entry->d_name);
		counts->leftovers += err == ERR_NONE;
		counts->bytes += err == ERR_NONE ? st.st_size : 0;
	}
	(void)closedir(folder);
	return err;
}

enum err
clean_all(const struct config *config, struct store_pool *stores,
    struct clean_counts *counts)
{
	struct db *db;
	bool done = config->server.upload_days == 0;
	enum err err = ERR_NONE;

	*counts = (struct clean_counts){0};
	while (err == ERR_NONE && !done)
		err = take_step(config, stores, true, counts, &done);
	if (err == ERR_NONE)
		err = store_lease(stores, &db);
	if (err != ERR_NONE)
		return err;
	err = remove_leftovers(config, db, "/files", counts);
	if (err == ERR_NONE)
		err = remove_leftovers(config, db, "", counts);
	store_return(stores, db);
	return err;
}
