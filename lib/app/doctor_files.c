/*
 * parlance.conf and the files that it names, as the user who runs the
 * command sees them.
 */
#include "app/doctor_files.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/examination.h"
#include "app/machine.h"
#include "app/version.h"
#include "base/program.h"
#include "config/config.h"
#include "config/engine_kind.h"
#include "documents/encoding.h"
#include "language/languages.h"
#include "upstream/curl_library.h"

/* ---- the configuration file --------------------------------------------- */

static bool
holds_secrets(const struct config *c)
{
	size_t i;

	if (c->server.secret != NULL || c->server.metrics_token != NULL)
		return true;
	for (i = 0; i < c->n_engines; i++)
		if (c->engines[i].key != NULL &&
		    c->engines[i].key[0] != '\0')
			return true;
	return false;
}

void
check_configuration(struct examination *e)
{
	const struct config *c = e->config;
	char fix[FIX_MAX];
	struct stat st;

	finding(e, FINDING_OK, NULL, NULL,
	    "%s: %zu bots, %zu keys, %zu engines", c->path, c->n_bots,
	    c->n_keys, c->n_engines);
	if (stat(c->path, &st) != 0)
		return;
	if ((st.st_mode & S_IWOTH) != 0)
		finding(e, FINDING_WRONG, NULL,
		    fix_path(fix, "chmod o-w", c->path),
		    "everybody may write it");
	if ((st.st_mode & S_IROTH) != 0 && holds_secrets(c))
		finding(e, FINDING_WRONG, NULL,
		    fix_path(fix, "chmod o-r", c->path),
		    "everybody may read it, and it holds a secret (an "
		    "upstream's key, say); its owner or group must be the "
		    "program's");
}

/* Who sends a key is the first that has its hash. */
static void
check_hashes(struct examination *e)
{
	const struct config *c = e->config;
	char fix[FIX_MAX];
	size_t i, k;

	for (i = 1; i < c->n_keys; i++) {
		for (k = 0; k < i && strcmp(c->keys[i].hash,
		    c->keys[k].hash) != 0; k++)
			continue;
		if (k == i)
			continue;
		(void)snprintf(fix, sizeof(fix), "%s key new %s",
		    program_invocation_name, c->keys[i].name);
		finding(e, FINDING_WRONG, NULL, fix,
		    "%s:%d: [key %s] has the hash of [key %s] (line %d), so "
		    "it is never used: who sends that key is the latter",
		    c->path, c->keys[i].line, c->keys[i].name,
		    c->keys[k].name, c->keys[k].line);
	}
}

void
check_keys(struct examination *e)
{
	const struct config *c = e->config;
	char fix[FIX_MAX];

	check_hashes(e);
	if (c->n_keys > 0 || c->server.demo)
		return;
	/* By the name that this program was called by.  A configuration that
	 * is being written has no key yet. */
	(void)snprintf(fix, sizeof(fix), "%s key new mine",
	    program_invocation_name);
	finding(e, e->by == BY_CHECK ? FINDING_NOTE : FINDING_WRONG, NULL,
	    fix, "there is no key, so nobody can ask: make one, and put the "
	    "lines it prints into %s", c->path);
}

/* ---- what bots need ----------------------------------------------------- */

void
check_knowledge_folders(struct examination *e)
{
	const struct config *c = e->config;
	char fix[FIX_MAX];
	size_t i;

	for (i = 0; i < c->n_knowledge; i++) {
		const struct knowledge_config *k = &c->knowledge[i];

		if (k->language != NULL && language_find(k->language) == NULL)
			finding(e, FINDING_WRONG, NULL,
			    "write a code such as en or german, or leave it "
			    "out", "%s:%d: language = %s of [knowledge %s] "
			    "is not known", c->path, k->line, k->language,
			    k->name);
		if (k->encoding != NULL && !encoding_is_known(k->encoding))
			finding(e, FINDING_WRONG, NULL,
			    "write a charset such as windows-1251, or leave "
			    "it out", "%s:%d: encoding = %s of [knowledge %s] "
			    "is not known", c->path, k->line, k->encoding,
			    k->name);
		if (access(k->folder, R_OK | X_OK) == 0)
			finding(e, FINDING_OK, NULL, NULL, "%s can be read",
			    k->folder);
		else
			finding(e, FINDING_WRONG, NULL,
			    fix_path(fix, errno == EACCES
				    ? "chmod -R a+rX" : "mkdir -p",
				k->folder),
			    "%s:%d: the folder %s of [knowledge %s]: %s",
			    c->path, k->line, k->folder, k->name,
			    strerror(errno));
	}
}

void
check_engine_files(struct examination *e)
{
	const struct config *c = e->config;
	size_t i, k;

	for (i = 0; i < c->n_engines; i++) {
		const struct engine_config *engine = &c->engines[i];
		const struct {
			const char *setting, *path;
		} files[] = {{"recordings", engine->recordings},
		    {"ca_file", engine->ca_file}};

		for (k = 0; k < sizeof(files) / sizeof(files[0]); k++)
			if (files[k].path != NULL &&
			    access(files[k].path, R_OK) != 0)
				finding(e, FINDING_WRONG, NULL, NULL,
				    "%s:%d: %s of [engine %s]: %s: %s",
				    c->path, engine->line, files[k].setting,
				    engine->name, files[k].path,
				    strerror(errno));
	}
}

static void
examine_libcurl(struct examination *e)
{
	const char *own = version_libcurl(), *responder;
	struct buf told = BUF_INIT(4096);
	struct arena a;

	if (own != NULL)
		finding(e, FINDING_OK, NULL, NULL, curl_library_inside()
			? "it is inside this program: %s"
			: "it can be loaded, for engines upstream: %s", own);
	else
		finding(e, FINDING_WRONG, NULL, NULL,
		    "it cannot be loaded; engines upstream need it");
	/* The responder has none inside. */
	arena_init(&a, 65536);
	responder = machine_beside(&a, "parlance.fcgi");
	if (curl_library_inside() && responder != NULL) {
		char *argv[] = {strdupa(responder), (char[]){"--version"},
		    NULL};

		(void)program_output(argv, 10000, &told);
		if (memmem(told.data, told.len, "libcurl/", 8) != NULL)
			finding(e, FINDING_OK, NULL, NULL,
			    "%s can load it", responder);
		else
			finding(e, FINDING_WRONG, NULL, NULL,
			    "%s cannot load it; engines upstream need it",
			    responder);
	}
	buf_release(&told);
	arena_release(&a);
}

void
check_libcurl(struct examination *e)
{
	const struct config *c = e->config;
	bool upstream = false;
	size_t i;

	for (i = 0; i < c->n_engines; i++)
		upstream = upstream || (c->engines[i].kind != NULL &&
		    engine_is_remote(&c->engines[i]));
	if (!upstream)
		return;
	examine_libcurl(e);
}

