/* Looks through the conversations, some hundred at a time. */
#include "store/retention.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "config/config.h"
#include "store/questions.h"
#include "store/rows.h"
#include "store/upload_bytes.h"

#define LOOK 500      /* conversations a step looks at */
#define REMOVE 50     /* ... and removes at the most */
#define USERS_MAX 256 /* of one name, in all apps */
#define FILES_MAX 256 /* uploads a step removes */
#define ARENA_MAX ((size_t)1 << 20)
#define DAY_US (INT64_C(86400) * 1000000)

/* ---- removing ------------------------------------------------------------ */

static enum err
run_with(struct db *db, const char *sql, int64_t value)
{
	struct db_stmt *s = db_prepare(db, sql);

	db_bind_int(s, 1, value);
	return db_run(s);
}

/* Inside a write transaction. */
static enum err
remove_conversation(struct db *db, int64_t seq,
    struct retention_counts *counts)
{
	enum err err = questions_keep_sums(db, seq);

	if (err == ERR_NONE)
		err = run_with(db, "DELETE FROM feedback WHERE message IN "
		    "(SELECT seq FROM messages WHERE conversation = ?)", seq);
	if (err == ERR_NONE)
		err = run_with(db, "DELETE FROM message_files WHERE message "
		    "IN (SELECT seq FROM messages WHERE conversation = ?)",
		    seq);
	if (err == ERR_NONE)
		err = run_with(db,
		    "DELETE FROM messages WHERE conversation = ?", seq);
	if (err != ERR_NONE)
		return err;
	counts->messages += db_changes(db);
	err = run_with(db, "DELETE FROM conversations WHERE seq = ?", seq);
	if (err == ERR_NONE)
		counts->conversations += db_changes(db);
	return err;
}

/* A row of an end user of whom nothing is left. */
static enum err
remove_idle_user(struct db *db, int64_t end_user,
    struct retention_counts *counts)
{
	enum err err = run_with(db,
	    "DELETE FROM end_users WHERE seq = ?1 AND NOT EXISTS "
	    "(SELECT 1 FROM conversations WHERE end_user = ?1) AND NOT EXISTS "
	    "(SELECT 1 FROM files WHERE end_user = ?1)", end_user);

	if (err == ERR_NONE)
		counts->end_users += db_changes(db);
	return err;
}

struct seqs {
	int64_t items[LOOK];
	size_t n;
};

static enum err
read_seqs(struct db_stmt *s, struct seqs *seqs, size_t max)
{
	bool row = true;
	enum err err = ERR_NONE;

	seqs->n = 0;
	while (seqs->n < max && (err = db_step(s, &row)) == ERR_NONE && row)
		seqs->items[seqs->n++] = db_int(s, 0);
	db_done(s);
	return err;
}

enum err
retention_remove_user(struct db *db, int64_t end_user, size_t max,
    struct retention_counts *counts, bool *more)
{
	struct db_stmt *s = db_prepare(db, "SELECT seq FROM conversations "
	    "WHERE end_user = ? LIMIT ?");
	struct seqs seqs;
	size_t i;
	enum err err;

	if (max >= LOOK)
		max = LOOK - 1;
	db_bind_int(s, 1, end_user);
	db_bind_int(s, 2, (int64_t)max + 1);
	err = read_seqs(s, &seqs, max + 1);
	*more = seqs.n > max;
	for (i = 0; i < seqs.n && i < max && err == ERR_NONE; i++)
		err = remove_conversation(db, seqs.items[i], counts);
	if (err != ERR_NONE || *more)
		return err;
	err = run_with(db, "DELETE FROM tasks WHERE EXISTS (SELECT 1 FROM "
	    "end_users u WHERE u.seq = ? AND u.name = tasks.end_user AND "
	    "u.app = tasks.bot_uid)", end_user);
	return err != ERR_NONE ? err
			       : remove_idle_user(db, end_user, counts);
}

/* ---- what is over its time ----------------------------------------------- */

bool
retention_wanted(const struct config *config)
{
	size_t i;

	for (i = 0; i < config->n_sites; i++)
		if (config->sites[i].conversation_days > 0)
			return true;
	return config->server.conversation_days > 0;
}

/* How many days an app's conversations are kept; 0: for ever.  *site: it is
 * a site's. */
static int64_t
days_of(const struct config *config, struct span app, bool *site)
{
	size_t i;

	for (i = 0; i < config->n_sites; i++)
		if (span_is(app, config->sites[i].app_id)) {
			*site = true;
			return config->sites[i].conversation_days;
		}
	*site = false;
	return config->server.conversation_days;
}

struct step {
	const struct config *config;
	struct retention_counts counts; /* of this step */
	bool now;  /* also when it is not time yet */
	bool done; /* nothing is left to look at */
	int64_t now_us;
};

static enum err
read_progress(struct db *db, int64_t *reached, int64_t *finished_us)
{
	struct db_stmt *s = db_prepare(db,
	    "SELECT reached, finished_us FROM cleaning WHERE id = 2");
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
	struct db_stmt *s = db_prepare(db, "UPDATE cleaning SET reached = ?, "
	    "finished_us = ? WHERE id = 2");

	db_bind_int(s, 1, reached);
	db_bind_int(s, 2, finished_us);
	return db_run(s);
}

/* A clock that was set back does not stop it. */
static bool
is_due(const struct step *step, int64_t reached, int64_t finished_us)
{
	return step->now || reached != 0 ||
	    step->now_us - finished_us >= DAY_US ||
	    finished_us > step->now_us;
}

struct overdue {
	int64_t conversation, end_user;
	bool site;
};

/* The next ones over their time; *reached: the last one looked at, 0 behind
 * the last of all. */
static enum err
find_overdue(struct db *db, const struct step *step, int64_t *reached,
    struct overdue found[REMOVE], size_t *n)
{
	struct db_stmt *s = db_prepare(db,
	    "SELECT c.seq, c.updated_us, c.end_user, u.app FROM "
	    "conversations c JOIN end_users u ON u.seq = c.end_user "
	    "WHERE c.seq > ? ORDER BY c.seq LIMIT ?");
	bool row = true, site;
	int64_t days;
	size_t looked = 0;
	enum err err = ERR_NONE;

	*n = 0;
	db_bind_int(s, 1, *reached);
	db_bind_int(s, 2, LOOK);
	while (*n < REMOVE && (err = db_step(s, &row)) == ERR_NONE && row) {
		looked++;
		*reached = db_int(s, 0);
		days = days_of(step->config, db_text(s, 3), &site);
		if (days > 0 && db_int(s, 1) < step->now_us - days * DAY_US)
			found[(*n)++] = (struct overdue){*reached,
			    db_int(s, 2), site};
	}
	db_done(s);
	if (err == ERR_NONE && *n < REMOVE && looked < LOOK)
		*reached = 0;
	return err;
}

/* A store_change. */
static enum err
take_step(struct db *db, void *arg)
{
	struct step *step = arg;
	struct overdue found[REMOVE];
	int64_t reached, finished_us;
	size_t n = 0, i;
	enum err err = read_progress(db, &reached, &finished_us);

	step->done = true;
	step->counts = (struct retention_counts){0};
	if (err != ERR_NONE || !is_due(step, reached, finished_us))
		return err;
	err = find_overdue(db, step, &reached, found, &n);
	for (i = 0; i < n && err == ERR_NONE; i++) {
		err = remove_conversation(db, found[i].conversation,
		    &step->counts);
		/* A visitor is nobody without what he said. */
		if (err == ERR_NONE && found[i].site)
			err = remove_idle_user(db, found[i].end_user,
			    &step->counts);
	}
	if (err == ERR_NONE)
		err = write_progress(db, reached,
		    reached == 0 ? step->now_us : finished_us);
	step->done = reached == 0;
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
retention_some(const struct config *config, struct store_pool *stores)
{
	struct step step = {.config = config, .now_us = clock_now_us()};
	enum err err;

	if (!retention_wanted(config) || !is_time(stores))
		return;
	err = store_write_durable(stores, take_step, &step);
	if (err != ERR_NONE)
		log_error("conversation_days: %s", err_text(err));
}

static void
add_counts(struct retention_counts *sum, const struct retention_counts *piece)
{
	sum->conversations += piece->conversations;
	sum->messages += piece->messages;
	sum->end_users += piece->end_users;
}

enum err
retention_all(const struct config *config, struct store_pool *stores,
    struct retention_counts *counts)
{
	struct step step = {.config = config, .now = true,
	    .now_us = clock_now_us()};
	enum err err = ERR_NONE;

	*counts = (struct retention_counts){0};
	if (!retention_wanted(config))
		return ERR_NONE;
	while (err == ERR_NONE && !step.done) {
		err = store_write_durable(stores, take_step, &step);
		if (err == ERR_NONE)
			add_counts(counts, &step.counts);
	}
	return err;
}

/* ---- forgetting an end user ---------------------------------------------- */

struct forgotten {
	const struct config *config;
	struct retention_counts counts; /* of this piece */
	int64_t end_user;
	bool more;
	struct arena arena;
	struct upload {
		const char *id;
		int64_t size;
	} uploads[FILES_MAX];
	size_t n_uploads;
};

static enum err
read_uploads(struct db *db, struct forgotten *f)
{
	struct db_stmt *s = db_prepare(db, "SELECT id, size FROM files "
	    "WHERE end_user = ? LIMIT ?");
	bool row = true;
	enum err err = ERR_NONE;

	f->n_uploads = 0;
	db_bind_int(s, 1, f->end_user);
	db_bind_int(s, 2, FILES_MAX);
	while (f->n_uploads < FILES_MAX &&
	    (err = db_step(s, &row)) == ERR_NONE && row) {
		struct upload *u = &f->uploads[f->n_uploads++];

		u->id = db_cstring_copy(s, 0, &f->arena);
		u->size = db_int(s, 1);
		if (u->id == NULL)
			err = ERR_MEMORY;
		if (err != ERR_NONE)
			break;
	}
	db_done(s);
	return err;
}

/* A store_change: a piece of one end user's uploads, after what he said. */
static enum err
forget_uploads(struct db *db, void *arg)
{
	struct forgotten *f = arg;
	struct db_stmt *s;
	size_t i;
	enum err err = read_uploads(db, f);

	f->counts = (struct retention_counts){0};
	for (i = 0; i < f->n_uploads && err == ERR_NONE; i++) {
		s = db_prepare(db, "DELETE FROM files WHERE id = ?");
		db_bind_cstring(s, 1, f->uploads[i].id);
		err = db_run(s);
	}
	f->more = f->n_uploads == FILES_MAX;
	if (err == ERR_NONE && !f->more)
		err = remove_idle_user(db, f->end_user, &f->counts);
	return err;
}

/* A store_change. */
static enum err
forget_words(struct db *db, void *arg)
{
	struct forgotten *f = arg;

	f->counts = (struct retention_counts){0};
	return retention_remove_user(db, f->end_user, REMOVE, &f->counts,
	    &f->more);
}

static enum err
forget_user(struct store_pool *stores, struct forgotten *f,
    struct retention_counts *counts)
{
	size_t i;
	enum err err;

	do {
		err = store_write_durable(stores, forget_words, f);
		if (err == ERR_NONE)
			add_counts(counts, &f->counts);
	} while (err == ERR_NONE && f->more);
	if (err != ERR_NONE)
		return err;
	do {
		err = store_write_durable(stores, forget_uploads, f);
		if (err == ERR_NONE)
			add_counts(counts, &f->counts);
		for (i = 0; err == ERR_NONE && i < f->n_uploads; i++)
			if (upload_bytes_remove(f->config, "/files",
				f->uploads[i].id) == ERR_NONE) {
				counts->uploads++;
				counts->bytes += f->uploads[i].size;
			}
	} while (err == ERR_NONE && f->more);
	return err;
}

static enum err
find_users(struct store_pool *stores, struct span user, struct seqs *seqs)
{
	struct db_stmt *s;
	struct db *db;
	enum err err = store_lease(stores, &db);

	if (err != ERR_NONE)
		return err;
	s = db_prepare(db, "SELECT seq FROM end_users WHERE name = ?1 OR "
			   "id = ?1");
	db_bind_text(s, 1, user);
	err = read_seqs(s, seqs, USERS_MAX);
	store_return(stores, db);
	return err == ERR_NONE && seqs->n == 0 ? ERR_NOT_FOUND : err;
}

enum err
retention_forget(const struct config *config, struct store_pool *stores,
    struct span user, struct retention_counts *counts)
{
	struct forgotten f = {.config = config};
	struct seqs seqs;
	size_t i;
	enum err err;

	*counts = (struct retention_counts){0};
	err = find_users(stores, user, &seqs);
	arena_init(&f.arena, ARENA_MAX);
	for (i = 0; err == ERR_NONE && i < seqs.n; i++) {
		f.end_user = seqs.items[i];
		err = forget_user(stores, &f, counts);
	}
	arena_release(&f.arena);
	return err;
}
