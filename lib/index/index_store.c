/* Opening, locking and writing state/index.db. */
#include "index/index_store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/state_file.h"
#include "base/uuid.h"
#include "store/db.h"

/* Goes up with the schema, and with any change of how words are found, folded
 * or stemmed: a segment is taken out of the index by its words. */
#define INDEX_VERSION 5

static const char schema[] =
    "CREATE TABLE dataset(id INTEGER PRIMARY KEY, uid TEXT UNIQUE NOT NULL,"
    " name TEXT NOT NULL, language TEXT, encoding TEXT,"
    " segments INTEGER NOT NULL, words INTEGER NOT NULL,"
    " languages INTEGER NOT NULL);"
    "CREATE TABLE document(id INTEGER PRIMARY KEY, dataset INTEGER NOT NULL,"
    " path TEXT NOT NULL, uid TEXT NOT NULL, name TEXT NOT NULL,"
    " size INTEGER NOT NULL, changed INTEGER NOT NULL, hash BLOB,"
    " language TEXT, fault TEXT, again INTEGER NOT NULL, remark TEXT,"
    " share INTEGER NOT NULL, segments INTEGER NOT NULL,"
    " words INTEGER NOT NULL, tokens INTEGER NOT NULL,"
    " started INTEGER NOT NULL, finished INTEGER NOT NULL,"
    " UNIQUE(dataset, path));"
    "CREATE INDEX document_uid ON document(uid);"
    "CREATE INDEX document_age ON document(dataset, changed);"
    "CREATE INDEX document_faulty ON document(dataset)"
    " WHERE fault IS NOT NULL;"
    "CREATE TABLE segment(id INTEGER PRIMARY KEY, document INTEGER NOT NULL,"
    " position INTEGER NOT NULL, is_row INTEGER NOT NULL,"
    " words INTEGER NOT NULL, heading TEXT NOT NULL, content TEXT NOT NULL);"
    "CREATE INDEX segment_document ON segment(document, position);"
    "CREATE TABLE term(word BLOB PRIMARY KEY, segments INTEGER NOT NULL)"
    " WITHOUT ROWID;"
    "CREATE TABLE vector(segment INTEGER PRIMARY KEY,"
    " dataset INTEGER NOT NULL, numbers BLOB NOT NULL);"
    "CREATE INDEX vector_dataset ON vector(dataset);"
    "CREATE VIRTUAL TABLE lookup USING fts5(heading, body, content='',"
    " columnsize=0, tokenize='parlance');"
    "INSERT INTO lookup(lookup, rank) VALUES('hashsize', 8388608);"
    "PRAGMA user_version=5;";

static struct index_store *
new_store(const struct config *config)
{
	struct index_store *x = calloc(1, sizeof(*x));
	int n;

	if (x == NULL)
		return NULL;
	x->lock = -1;
	vocabulary_init(&x->vocabulary);
	x->fts.vocabulary = &x->vocabulary;
	n = snprintf(x->path, sizeof(x->path), "%s/index.db",
	    config->server.state);
	if (n < 0 || (size_t)n >= sizeof(x->path) - 8) {
		free(x);
		return NULL;
	}
	return x;
}

static int64_t
version_of(struct db *db)
{
	struct db_stmt *s = db_prepare(db, "PRAGMA user_version");
	int64_t version = -1;
	bool row;

	if (db_step(s, &row) == ERR_NONE && row)
		version = db_int(s, 0);
	db_done(s);
	return version;
}

enum err
index_open(const struct config *config, struct index_store **out)
{
	struct db_options options = {.read_only = true,
	    .busy_timeout_ms = config->server.busy_timeout_ms};
	struct index_store *x = new_store(config);
	struct stat st;
	const char *why;
	enum err err;

	*out = NULL;
	if (x == NULL)
		return ERR_MEMORY;
	err = ERR_NOT_FOUND;
	if (stat(x->path, &st) == 0 && st.st_size > 0) {
		err = db_open(x->path, &options, &x->db, &why);
		if (err != ERR_NONE)
			log_error("knowledge: %s: %s", x->path, why);
		else if (version_of(x->db) != INDEX_VERSION)
			err = ERR_NOT_FOUND;
		else
			err = fts_register(x->db, &x->fts);
	}
	if (err == ERR_STORE_CORRUPT) {
		index_discard(config, x);
		return err;
	}
	if (err != ERR_NONE) {
		index_close(x);
		return err;
	}
	*out = x;
	return ERR_NONE;
}

static enum err
take_lock(struct index_store *x, const struct config *config, bool wait)
{
	char path[4096];

	(void)snprintf(path, sizeof(path), "%s/index.lock",
	    config->server.state);
	x->lock = state_file_open(path, O_RDWR);
	if (x->lock < 0)
		return errno == ENOSPC ? ERR_STORE_FULL : ERR_STORE_READONLY;
	while (flock(x->lock, LOCK_EX | (wait ? 0 : LOCK_NB)) != 0) {
		if (errno == EWOULDBLOCK)
			return ERR_STORE_BUSY;
		if (errno != EINTR)
			return ERR_IO;
	}
	return ERR_NONE;
}

static void
remove_files(const char *path)
{
	static const char *const endings[] = {"", "-wal", "-shm", "-journal"};
	char name[4200];
	size_t i;

	for (i = 0; i < 4; i++) {
		(void)snprintf(name, sizeof(name), "%s%s", path, endings[i]);
		(void)unlink(name);
	}
}

static enum err
copy_file(const char *from, const char *to)
{
	char bytes[8192]; /* a worker's stack is small */
	enum err err = ERR_NONE;
	int in = open(from, O_RDONLY | O_CLOEXEC), out;
	ssize_t n = 0;

	if (in < 0)
		return errno == ENOENT ? ERR_NONE : ERR_IO;
	out = state_file_open(to, O_WRONLY | O_TRUNC);
	if (out < 0)
		err = ERR_IO;
	while (err == ERR_NONE && (n = read(in, bytes, sizeof(bytes))) > 0)
		if (write(out, bytes, (size_t)n) != n)
			err = errno == ENOSPC ? ERR_STORE_FULL : ERR_IO;
	if (n < 0)
		err = ERR_IO;
	if (out >= 0 && close(out) != 0)
		err = ERR_IO;
	(void)close(in);
	return err;
}

static enum err
open_file(struct index_store *x, const char *path)
{
	struct db_options options = {.busy_timeout_ms = 10000};
	const char *why = "";
	int64_t version;
	enum err err = db_open(path, &options, &x->db, &why);

	if (err == ERR_NONE) {
		version = version_of(x->db);
		if (version != 0 && version != INDEX_VERSION)
			err = ERR_STORE_CORRUPT;
	}
	if (err != ERR_STORE_CORRUPT)
		return err;
	/* Derived data: of another version, or damaged, it is made anew. */
	db_close(x->db);
	x->db = NULL;
	log_warn("knowledge: %s is damaged or of another version; rebuilding "
		 "it", path);
	remove_files(path);
	return db_open(path, &options, &x->db, &why);
}

/* Opens what will be written: the file itself, or a copy of it. */
static enum err
open_for_pass(struct index_store *x, bool aside)
{
	enum err err = ERR_NONE;

	if (!aside) {
		err = open_file(x, x->path);
		if (err != ERR_NONE || strcmp(db_journal(x->db), "wal") == 0)
			return err;
		db_close(x->db);
		x->db = NULL;
	}
	(void)snprintf(x->copy, sizeof(x->copy), "%s.new", x->path);
	remove_files(x->copy);
	err = copy_file(x->path, x->copy);
	return err == ERR_NONE ? open_file(x, x->copy) : err;
}

static enum err
begin_pass(struct index_store *x)
{
	enum err err = fts_register(x->db, &x->fts);

	if (err == ERR_NONE)
		err = db_exec(x->db, "PRAGMA cache_size=-65536");
	if (err == ERR_NONE && x->copy[0] != '\0')
		err = db_exec(x->db,
		    "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF");
	if (err == ERR_NONE)
		err = db_begin(x->db);
	if (err == ERR_NONE)
		x->in_pass = true;
	if (err == ERR_NONE && version_of(x->db) == 0)
		err = db_exec(x->db, schema);
	return err;
}

enum err
index_open_writer(const struct config *config, bool wait, bool aside,
    struct index_store **out)
{
	struct index_store *x = new_store(config);
	enum err err;

	*out = NULL;
	if (x == NULL)
		return ERR_MEMORY;
	err = take_lock(x, config, wait);
	if (err == ERR_NONE)
		err = open_for_pass(x, aside);
	if (err == ERR_NONE)
		err = begin_pass(x);
	if (err != ERR_NONE) {
		index_close(x);
		return err;
	}
	*out = x;
	return ERR_NONE;
}

void
index_discard(const struct config *config, struct index_store *x)
{
	char checked[4096];
	bool moved = x->db != NULL && db_moved(x->db);

	if (!moved && take_lock(x, config, false) == ERR_NONE) {
		log_warn("knowledge: %s is damaged; rebuilding it",
		    x->path);
		remove_files(x->path);
		(void)snprintf(checked, sizeof(checked), "%s/index.checked",
		    config->server.state);
		(void)unlink(checked);
	}
	index_close(x);
}

/* The copy's bytes are on the disk before its name is. */
static enum err
rename_copy(struct index_store *x)
{
	int fd;

	db_close(x->db);
	x->db = NULL;
	fd = open(x->copy, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) != 0 || rename(x->copy, x->path) != 0) {
		log_error("knowledge: %s: %s", x->copy, strerror(errno));
		if (fd >= 0)
			(void)close(fd);
		return ERR_IO;
	}
	(void)close(fd);
	x->copy[0] = '\0';
	return ERR_NONE;
}

enum err
index_commit(struct index_store *x)
{
	enum err err = db_commit(x->db);

	if (err != ERR_NONE)
		return err;
	x->in_pass = false;
	return x->copy[0] == '\0' ? ERR_NONE : rename_copy(x);
}

void
index_close(struct index_store *x)
{
	if (x == NULL)
		return;
	if (x->db != NULL && x->in_pass)
		db_rollback(x->db);
	db_close(x->db);
	if (x->copy[0] != '\0')
		remove_files(x->copy);
	vocabulary_release(&x->vocabulary);
	if (x->lock >= 0)
		(void)close(x->lock);
	free(x);
}

const char *
index_segment_uid(struct arena *arena, const char *document,
    struct span content)
{
	const char *name = arena_printf(arena, "%s\n%.*s", document,
	    (int)content.len, content.data);
	char uid[UUID_TEXT];

	if (name == NULL)
		return NULL;
	uuid_from_name("segment", span_of(name), uid);
	return arena_strdup(arena, uid);
}

enum err
index_find_dataset(struct index_store *x, const char *uid, struct arena *arena,
    struct index_dataset *d)
{
	struct db_stmt *s = db_prepare(x->db,
	    "SELECT id, uid, name, language, segments, words, languages,"
	    " encoding"
	    " FROM dataset WHERE uid = ?");
	enum err err;
	bool row;

	*d = (struct index_dataset){.id = 0};
	db_bind_cstring(s, 1, uid);
	err = db_step(s, &row);
	if (err == ERR_NONE && row) {
		d->id = db_int(s, 0);
		d->uid = db_cstring_copy(s, 1, arena);
		d->name = db_cstring_copy(s, 2, arena);
		d->language = db_cstring_copy(s, 3, arena);
		d->segments = db_int(s, 4);
		d->words = db_int(s, 5);
		d->languages = (uint32_t)db_int(s, 6);
		d->encoding = db_cstring_copy(s, 7, arena);
		if (d->uid == NULL || d->name == NULL)
			err = ERR_MEMORY;
	}
	db_done(s);
	return err;
}
