/*
 * The examination of a deployment: first the files, as the user who runs
 * this command sees them, then the web server, by a probe (probe.h) that
 * travels the way of every request.
 */
#include "app/doctor.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "app/doctor_url.h"
#include "base/arena.h"
#include "config/config.h"
#include "store/store.h"

#define LOW_SPACE ((unsigned long long)100 << 20)

void
finding(struct examination *e, enum finding kind, const char *subject,
    const char *mend, const char *format, ...)
{
	static const char *const words[] = {"ok", "note", "WRONG"};
	va_list args;

	(void)printf("%-5s  %-13s ", words[kind], subject);
	va_start(args, format);
	(void)vprintf(format, args);
	va_end(args);
	(void)printf("\n");
	if (mend != NULL)
		(void)printf("       mend: %s\n", mend);
	if (kind == FINDING_WRONG)
		e->wrong++;
}

/* ---- the configuration file --------------------------------------------- */

static bool
holds_secrets(const struct config *c)
{
	size_t i;

	for (i = 0; i < c->n_engines; i++)
		if (c->engines[i].key != NULL &&
		    c->engines[i].key[0] != '\0')
			return true;
	return false;
}

static bool
in_web_root(const char *path)
{
	static const char *const names[] = {"/public_html/", "/htdocs/",
	    "/httpdocs/", "/var/www/", "/www/"};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strstr(path, names[i]) != NULL)
			return true;
	return false;
}

static void
examine_file(struct examination *e)
{
	const struct config *c = e->config;
	struct stat st;

	finding(e, FINDING_OK, "configuration", NULL,
	    "%s: %zu bots, %zu keys, %zu engines", c->path, c->n_bots,
	    c->n_keys, c->n_engines);
	if (stat(c->path, &st) != 0)
		return;
	if ((st.st_mode & S_IWOTH) != 0)
		finding(e, FINDING_WRONG, "configuration",
		    "chmod o-w parlance.conf", "everybody may write it");
	if ((st.st_mode & S_IROTH) != 0 && holds_secrets(c))
		finding(e, FINDING_WRONG, "configuration",
		    "chmod 0640 parlance.conf, and chgrp it to the program's "
		    "group",
		    "everybody may read it, and it holds an upstream's key");
	if (c->n_keys == 0 && !c->server.demo)
		finding(e, FINDING_WRONG, "keys",
		    "parlance key new NAME, and put what it prints into "
		    "parlance.conf",
		    "there is no key, so nobody can ask");
	if (c->n_bots == 0)
		finding(e, FINDING_WRONG, "bots",
		    "add [bot NAME] to parlance.conf", "there is no bot");
}

/* ---- the state folder --------------------------------------------------- */

/* Where locks or shared memory cannot be trusted. */
static const char *
network_name(long magic)
{
	switch (magic) {
	case 0x6969:
		return "NFS";
	case 0xFF534D42:
	case 0xFE534D42:
		return "SMB";
	case 0x65735546:
		return "FUSE";
	case 0x01021997:
		return "9p";
	default:
		return NULL;
	}
}

static void
examine_file_system(struct examination *e, const char *path)
{
	struct statfs fs;
	struct statvfs space;
	unsigned long long left;
	const char *network;

	if (statfs(path, &fs) == 0) {
		network = network_name((long)fs.f_type & 0xFFFFFFFFL);
		if (network != NULL)
			finding(e, FINDING_WRONG, "state",
			    "set state = ... to a folder on a local disk",
			    "%s is on %s, where locks are not reliable",
			    path, network);
		else
			finding(e, FINDING_OK, "state", NULL,
			    "it is on a local file system");
	}
	if (statvfs(path, &space) != 0)
		return;
	left = (unsigned long long)space.f_bavail * space.f_frsize;
	finding(e, left < LOW_SPACE ? FINDING_WRONG : FINDING_OK, "space",
	    left < LOW_SPACE ? "make room on that disk" : NULL,
	    "%llu MB are free for %s", left >> 20, path);
}

/* Opens the database as it is, to read. */
static void
examine_database(struct examination *e, const char *folder)
{
	struct db_options options = {.busy_timeout_ms = 2000,
	    .read_only = true};
	char path[4096];
	const char *why = NULL;
	struct db *db;
	enum err err;

	(void)snprintf(path, sizeof(path), "%s/parlance.db", folder);
	if (access(path, F_OK) != 0) {
		finding(e, FINDING_NOTE, "database", NULL,
		    "%s will be made by the first request", path);
		return;
	}
	err = db_open(path, &options, &db, &why);
	if (err != ERR_NONE) {
		finding(e, FINDING_WRONG, "database",
		    "see that this user owns the folder and its files",
		    "%s: %s", path, why == NULL ? err_text(err) : why);
		return;
	}
	finding(e, strcmp(db_journal(db), "wal") == 0 ? FINDING_OK
						      : FINDING_NOTE,
	    "database", NULL, "%s opens, its journal is \"%s\"", path,
	    db_journal(db));
	db_close(db);
}

static void
examine_state(struct examination *e)
{
	const char *path = e->config->server.state;
	char mend[4200];
	struct stat st;

	(void)snprintf(mend, sizeof(mend), "mkdir -m 0700 -p %s, and chown "
	    "it to the user the program runs as", path);
	if (stat(path, &st) != 0) {
		finding(e, FINDING_WRONG, "state", mend, "%s: %s", path,
		    strerror(errno));
		return;
	}
	if (!S_ISDIR(st.st_mode) || access(path, R_OK | W_OK | X_OK) != 0)
		finding(e, FINDING_WRONG, "state", mend,
		    "%s cannot be written by user %d (it belongs to %d, mode "
		    "%04o)", path, (int)geteuid(), (int)st.st_uid,
		    (unsigned)st.st_mode & 07777);
	else
		finding(e, FINDING_OK, "state", NULL,
		    "%s can be written (owner %d, mode %04o)", path,
		    (int)st.st_uid, (unsigned)st.st_mode & 07777);
	(void)snprintf(mend, sizeof(mend), "chmod 0700 %s", path);
	if ((st.st_mode & 07) != 0)
		finding(e, FINDING_WRONG, "state", mend,
		    "others may enter it, and it holds conversations");
	if (in_web_root(path))
		finding(e, FINDING_WRONG, "state",
		    "set state = ... to a folder outside of the web site",
		    "%s looks like a part of the web site", path);
	examine_file_system(e, path);
	examine_database(e, path);
}

/* ---- what bots need ----------------------------------------------------- */

static void
examine_knowledge(struct examination *e)
{
	const struct config *c = e->config;
	size_t i;

	for (i = 0; i < c->n_knowledge; i++) {
		const char *folder = c->knowledge[i].folder;

		if (folder == NULL)
			continue;
		if (access(folder, R_OK | X_OK) == 0)
			finding(e, FINDING_OK, "knowledge", NULL,
			    "%s can be read", folder);
		else
			finding(e, FINDING_WRONG, "knowledge",
			    "make the folder, or correct folder = ...",
			    "[knowledge %s] %s: %s", c->knowledge[i].name,
			    folder, strerror(errno));
	}
}

static void
examine_engines(struct examination *e)
{
	const struct config *c = e->config;
	bool upstream = false;
	size_t i;

	for (i = 0; i < c->n_engines; i++)
		upstream = upstream || (c->engines[i].kind != NULL &&
		    strcmp(c->engines[i].kind, "openai") == 0);
	if (!upstream)
		return;
#ifdef PARLANCE_STATIC
	finding(e, FINDING_OK, "libcurl", NULL, "it is inside this program");
#else
	void *curl = dlopen("libcurl.so.4", RTLD_LAZY | RTLD_LOCAL);
	finding(e, curl != NULL ? FINDING_OK : FINDING_WRONG, "libcurl",
	    curl != NULL ? NULL
			 : "install libcurl (Debian: apt-get install "
			   "libcurl4)",
	    curl != NULL ? "it can be loaded, for engines upstream"
			 : "it cannot be loaded; engines upstream need it");
	if (curl != NULL)
		(void)dlclose(curl);
#endif
}

/* ---- the socket --------------------------------------------------------- */

static void
examine_socket(struct examination *e)
{
	static const char *const usual[] = {"/run/parlance/parlance.sock",
	    "/var/run/parlance.sock"};
	struct stat st;
	size_t i;

	for (i = 0; i < sizeof(usual) / sizeof(usual[0]); i++) {
		if (stat(usual[i], &st) != 0)
			continue;
		if (!S_ISSOCK(st.st_mode)) {
			finding(e, FINDING_WRONG, "socket",
			    "remove it and start the service again",
			    "%s is not a socket", usual[i]);
			continue;
		}
		finding(e, (st.st_mode & S_IWOTH) != 0 ? FINDING_WRONG
						       : FINDING_OK,
		    "socket",
		    (st.st_mode & S_IWOTH) != 0
			? "start parlance.fcgi with --group, or set "
			  "SocketMode=0660 in parlance.socket"
			: NULL,
		    "%s: owner %d, group %d, mode %04o; the web server must "
		    "be that user or in that group", usual[i],
		    (int)st.st_uid, (int)st.st_gid,
		    (unsigned)st.st_mode & 07777);
	}
}

bool
doctor_run(const struct config *config, const char *url)
{
	struct examination e = {.config = config};

	examine_file(&e);
	examine_state(&e);
	examine_knowledge(&e);
	examine_engines(&e);
	examine_socket(&e);
	if (url != NULL)
		doctor_url(&e, url);
	if (e.wrong == 0)
		(void)printf("nothing is wrong\n");
	else
		(void)printf("%d found wrong\n", e.wrong);
	return e.wrong == 0;
}
