/*
 * The examination of a deployment: first the files, as the user who runs
 * this command sees them, then the web server, by a probe (probe.h) that
 * travels the way of every request.
 */
#include "app/doctor.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/doctor_socket.h"
#include "app/doctor_state.h"
#include "app/doctor_url.h"
#include "app/machine.h"
#include "app/version.h"
#include "base/program.h"
#include "config/config.h"
#include "upstream/curl_library.h"

#define LIBCURL_FIX "apt-get install libcurl4"

void
finding(struct examination *e, enum finding kind, const char *subject,
    const char *fix, const char *format, ...)
{
	static const char *const words[] = {"ok", "note", "WRONG"};
	va_list args;

	(void)printf("%-5s  %-13s ", words[kind], subject);
	va_start(args, format);
	(void)vprintf(format, args);
	va_end(args);
	(void)printf("\n");
	if (fix != NULL)
		(void)printf("       fix: %s\n", fix);
	if (kind == FINDING_WRONG)
		e->wrong++;
}

const char *
fix_path(char fix[FIX_MAX], const char *command, const char *path)
{
	bool quote = path[strspn(path, "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+:,@%=")] != '\0';

	(void)snprintf(fix, FIX_MAX, quote ? "%s '%s'" : "%s %s", command,
	    path);
	return fix;
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

static void
examine_file(struct examination *e)
{
	const struct config *c = e->config;
	char fix[FIX_MAX];
	struct stat st;

	finding(e, FINDING_OK, "configuration", NULL,
	    "%s: %zu bots, %zu keys, %zu engines", c->path, c->n_bots,
	    c->n_keys, c->n_engines);
	if (stat(c->path, &st) != 0)
		return;
	if ((st.st_mode & S_IWOTH) != 0)
		finding(e, FINDING_WRONG, "configuration",
		    fix_path(fix, "chmod o-w", c->path),
		    "everybody may write it");
	if ((st.st_mode & S_IROTH) != 0 && holds_secrets(c))
		finding(e, FINDING_WRONG, "configuration",
		    fix_path(fix, "chmod o-r", c->path),
		    "everybody may read it, and it holds an upstream's key; "
		    "its owner or group must be the program's");
	/* By the name that this program was called by. */
	(void)snprintf(fix, sizeof(fix), "%s key new mine",
	    program_invocation_name);
	if (c->n_keys == 0 && !c->server.demo)
		finding(e, FINDING_WRONG, "keys", fix,
		    "there is no key, so nobody can ask: make one, and put "
		    "the lines it prints into %s", c->path);
	if (c->n_bots == 0)
		finding(e, FINDING_WRONG, "bots", "[bot help]",
		    "there is no bot: put a line like this into %s",
		    c->path);
}

/* ---- what bots need ----------------------------------------------------- */

static void
examine_knowledge(struct examination *e)
{
	const struct config *c = e->config;
	char fix[FIX_MAX];
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
			    fix_path(fix, errno == EACCES
				    ? "chmod -R a+rX" : "mkdir -p", folder),
			    "[knowledge %s] %s: %s", c->knowledge[i].name,
			    folder, strerror(errno));
	}
}

static void
examine_libcurl(struct examination *e)
{
	const char *own = version_libcurl(), *responder;
	struct buf told = BUF_INIT(4096);
	struct arena a;

	if (own != NULL)
		finding(e, FINDING_OK, "libcurl", NULL, curl_library_inside()
			? "it is inside this program: %s"
			: "it can be loaded, for engines upstream: %s", own);
	else
		finding(e, FINDING_WRONG, "libcurl", LIBCURL_FIX,
		    "it cannot be loaded; engines upstream need it");
	/* The responder has none inside. */
	arena_init(&a, 65536);
	responder = machine_beside(&a, "parlance.fcgi");
	if (curl_library_inside() && responder != NULL) {
		char *argv[] = {strdupa(responder), (char[]){"--version"},
		    NULL};

		(void)program_output(argv, 10000, &told);
		if (memmem(told.data, told.len, "libcurl/", 8) != NULL)
			finding(e, FINDING_OK, "libcurl", NULL,
			    "%s can load it", responder);
		else
			finding(e, FINDING_WRONG, "libcurl", LIBCURL_FIX,
			    "%s cannot load it; engines upstream need it",
			    responder);
	}
	buf_release(&told);
	arena_release(&a);
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
	examine_libcurl(e);
}

bool
doctor_run(const struct config *config, const char *url)
{
	struct examination e = {.config = config};

	examine_file(&e);
	doctor_state(&e);
	examine_knowledge(&e);
	examine_engines(&e);
	doctor_socket(&e);
	if (url != NULL)
		doctor_url(&e, url);
	if (e.wrong == 0)
		(void)printf("no problems found\n");
	else
		(void)printf("%d %s found\n", e.wrong,
		    e.wrong == 1 ? "problem" : "problems");
	return e.wrong == 0;
}
