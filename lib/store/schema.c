/*
 * A table of one row tells how many of the migrations a database has had, so
 * that an open needs one read; schema_steps tells which.  A larger number
 * than this program knows is refused: an older program must not write what a
 * newer one has laid out.
 */
#include "store/schema.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "config/config.h"
#include "store/migrations.h"
#include "store/rows.h"

/* 0: there is no schema, or one of before the table. */
static enum err
read_version(struct db *db, int64_t *version)
{
	enum err err;

	*version = 0;
	if (!db_has_table(db, "schema_version"))
		return ERR_NONE;
	err = row_int(db_prepare(db, "SELECT version FROM schema_version"),
	    version);
	return err == ERR_NOT_FOUND ? ERR_NONE : err;
}

static enum err
write_version(struct db *db, int64_t version)
{
	static const char update[] = "UPDATE schema_version SET version = ?";
	static const char insert[] =
	    "INSERT INTO schema_version (version) VALUES (?)";
	struct db_stmt *s = db_prepare(db, update);
	enum err err;

	db_bind_int(s, 1, version);
	err = row_change(db, s);
	if (err == ERR_NOT_FOUND) {
		s = db_prepare(db, insert);
		db_bind_int(s, 1, version);
		err = db_run(s);
	}
	if (err == ERR_NONE)
		err = db_note_version(db, version);
	return err;
}

static enum err
has_step(struct db *db, const char *name, bool *has)
{
	struct db_stmt *s = db_prepare(db,
	    "SELECT 1 FROM schema_steps WHERE name = ?1");
	enum err err;

	db_bind_cstring(s, 1, name);
	err = db_step(s, has);
	db_done(s);
	return err;
}

static enum err
apply_step(struct db *db, const struct migration *step)
{
	struct db_stmt *s;
	bool has;
	enum err err = has_step(db, step->name, &has);

	if (err != ERR_NONE || has)
		return err;
	err = db_exec(db, step->sql);
	if (err != ERR_NONE)
		return err;
	s = db_prepare(db, "INSERT INTO schema_steps (name) VALUES (?1)");
	db_bind_cstring(s, 1, step->name);
	return db_run(s);
}

/* One transaction for all missing steps: killed in between, none is done. */
static enum err
migrate(struct db *db, const char **why)
{
	int64_t version = 0;
	enum err err = read_version(db, &version);
	int i;

	if (err != ERR_NONE || version == migrations_count)
		return err;
	if (version > migrations_count) {
		*why = "made by a newer version of this program";
		return ERR_STORE;
	}
	err = db_begin(db);
	if (err == ERR_NONE)
		err = db_exec(db, "CREATE TABLE IF NOT EXISTS schema_steps "
				  "(name TEXT PRIMARY KEY NOT NULL);"
				  "CREATE TABLE IF NOT EXISTS schema_version "
				  "(version BIGINT NOT NULL)");
	for (i = 0; err == ERR_NONE && i < migrations_count; i++)
		err = apply_step(db, &migrations[i]);
	if (err == ERR_NONE)
		err = write_version(db, migrations_count);
	if (err == ERR_NONE)
		return db_commit(db);
	db_rollback(db);
	return err;
}

enum err
schema_open(const struct config *config, bool short_lived,
    atomic_bool *log_synced, struct db **db, const char **why)
{
	struct db_options options = {
	    .busy_timeout_ms = config->server.busy_timeout_ms,
	    .durable = config->server.durable,
	    .short_lived = short_lived,
	    .log_synced = log_synced,
	};
	char path[4096];
	struct stat st;
	enum err err;

	*db = NULL;
	if ((size_t)snprintf(path, sizeof(path), "%s/parlance.db",
		config->server.state) >= sizeof(path)) {
		*why = "the path of the state folder is too long";
		return ERR_STORE;
	}
	if (stat(config->server.state, &st) != 0) {
		*why = errno == ENOENT ? "the state folder does not exist"
				       : "the state folder cannot be entered";
		return ERR_STORE;
	}
	err = db_open(path, &options, db, why);
	if (err != ERR_NONE)
		return err;
	*why = NULL;
	err = migrate(*db, why);
	if (err == ERR_NONE)
		return ERR_NONE;
	if (*why == NULL)
		*why = err_text(err);
	db_close(*db);
	*db = NULL;
	return err;
}
