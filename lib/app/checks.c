/* The table, and running it. */
#include "app/checks.h"

#include <json-c/json.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "app/doctor_engine.h"
#include "app/doctor_files.h"
#include "app/doctor_sites.h"
#include "app/doctor_socket.h"
#include "app/doctor_state.h"
#include "app/doctor_url.h"
#include "app/examination.h"
#include "app/texts.h"
#include "base/buf.h"
#include "config/config.h"
#include "config/config_file.h"

#define FAULTS_MAX (1U << 20)

/* In the order in which a person would look. */
static const struct check checks[] = {
    {"configuration", "who may read and write parlance.conf", FINDING_WRONG,
	"chmod 0640 parlance.conf", BY_DOCTOR, check_configuration},
    {"keys", "is there a key, has each a hash of its own", FINDING_WRONG,
	"parlance key new NAME", BY_BOTH, check_keys},
    {"state", "the state folder: is it there, can it be written",
	FINDING_WRONG, "mkdir -p -m 0700 FOLDER", BY_BOTH, check_state},
    {"privacy", "of the state folder: who may enter it",
	FINDING_WRONG, "chmod 0700 FOLDER", BY_DOCTOR, check_privacy},
    {"file system", "of the state folder: locks, memory, room",
	FINDING_WRONG, "state = /a/folder/on/a/local/disk", BY_DOCTOR,
	check_file_system},
    {"database", "is it one, whole, writable, free", FINDING_WRONG,
	"restore it from a backup", BY_BOTH, check_database},
    {"owners", "do all files of the state folder have one", FINDING_WRONG,
	"chown -R USER FOLDER", BY_DOCTOR, check_owners},
    {"secret", "the deployment's secret: is it whole, who may read it",
	FINDING_WRONG, "chmod 0600 FOLDER/secret", BY_BOTH, check_secret},
    {"knowledge", "the folders of texts, their languages", FINDING_WRONG,
	"correct folder = ... in [knowledge NAME]", BY_BOTH,
	check_knowledge_folders},
    {"texts", "files of these folders that are left out, and why",
	FINDING_WRONG, "chmod -R a+rX FOLDER", BY_BOTH, check_texts},
    {"engines", "the files that engines name", FINDING_WRONG,
	"correct the path in [engine NAME]", BY_BOTH, check_engine_files},
    {"libcurl", "can both programs load it, when an engine needs it",
	FINDING_WRONG, "apt-get install libcurl4", BY_DOCTOR, check_libcurl},
    {"addresses", "common mistakes in the addresses and keys of engines",
	FINDING_WRONG, "correct [engine NAME]", BY_BOTH,
	check_engine_addresses},
    {"answers", "does each engine answer a question (--no-engine: not asked)",
	FINDING_WRONG, "correct the engine's section; parlance ask BOT hello "
	"asks as a client does", BY_DOCTOR, check_engine_answers},
    {"socket", "the FastCGI socket: who listens, who may connect",
	FINDING_WRONG, "systemctl restart parlance.socket", BY_DOCTOR,
	check_socket},
    {"web server", "given its URL: do keys and streams arrive",
	FINDING_WRONG, "see the web server's error log", BY_DOCTOR,
	check_url},
    {"sites", "the chat pages at the URL or public_url: who may frame them",
	FINDING_WRONG, "see the web server's error log", BY_DOCTOR,
	check_sites},
};
#define N_CHECKS (sizeof(checks) / sizeof(checks[0]))

static void
run_checks(struct examination *e)
{
	size_t i;

	for (i = 0; i < N_CHECKS; i++) {
		if ((checks[i].by & e->by) == 0)
			continue;
		e->check = &checks[i];
		checks[i].run(e);
	}
}

/* ---- the configuration -------------------------------------------------- */

/* Also in the current folder, where its owner may be writing it. */
static void
find_config(char found[PATH_MAX], struct buf *places)
{
	char here[PATH_MAX - sizeof("/parlance.conf")];

	config_find(found, PATH_MAX, places);
	if (places->len == 0 || access(found, F_OK) == 0 ||
	    getcwd(here, sizeof(here)) == NULL)
		return;
	buf_printf(places, ", %s/parlance.conf", here);
	if (access("parlance.conf", F_OK) == 0)
		(void)snprintf(found, PATH_MAX, "%s/parlance.conf", here);
}

static void
report_faults(struct examination *e, const struct buf *faults)
{
	struct span rest = {faults->data, faults->len}, line;

	while (rest.len > 0) {
		line = span_cut(&rest, '\n');
		finding(e, FINDING_WRONG, "configuration", NULL, "%.*s",
		    (int)line.len, line.data);
	}
}

/* NULL after findings. */
static struct config *
open_config(struct examination *e, const char *path)
{
	struct buf faults = BUF_INIT(FAULTS_MAX);
	struct buf places = BUF_INIT(FAULTS_MAX);
	struct config *config = NULL;
	char found[PATH_MAX];
	enum err err = ERR_CONFIG;

	if (path == NULL) {
		find_config(found, &places);
		path = found;
	}
	if (places.len > 0 && access(path, F_OK) != 0) {
		finding(e, FINDING_WRONG, "configuration",
		    "put parlance.conf into one of these folders, or name it "
		    "with PARLANCE_CONFIG",
		    "parlance.conf: No such file; looked for %s",
		    buf_text(&places));
		goto out;
	}
	err = config_read(path, &config, &faults);
	if (err == ERR_CONFIG)
		report_faults(e, &faults);
	else if (err != ERR_NONE)
		finding(e, FINDING_WRONG, "configuration", NULL, "%s: %s",
		    path, err_text(err));
out:
	buf_release(&places);
	buf_release(&faults);
	return config;
}

/* ---- the two commands --------------------------------------------------- */

static void
print_json(const struct examination *e)
{
	struct json_object *o = json_object_new_object();

	if (o == NULL)
		return;
	(void)json_object_object_add(o, "configuration", e->config == NULL
		? NULL : json_object_new_string(e->config->path));
	(void)json_object_object_add(o, "problems",
	    json_object_new_int(e->problems));
	(void)json_object_object_add(o, "findings",
	    json_object_get(e->list));
	(void)printf("%s\n", json_object_to_json_string_ext(o,
	    JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE));
	(void)json_object_put(o);
}

static void
print_end(const struct examination *e)
{
	const struct config *c = e->config;

	if (c == NULL)
		return;
	if (e->by == BY_DOCTOR && e->problems == 0)
		(void)printf("no problems found\n");
	else if (e->by == BY_DOCTOR)
		(void)printf("%d %s found\n", e->problems,
		    e->problems == 1 ? "problem" : "problems");
	else if (e->problems == 0)
		(void)printf("%s: ok: %zu bots, %zu keys, %zu engines, "
			     "%zu knowledge folders\nstate: %s\n",
		    c->path, c->n_bots, c->n_keys, c->n_engines,
		    c->n_knowledge, c->server.state);
}

static bool
examine(struct examination e, const char *path, bool json)
{
	struct config *config;

	e.report = json ? report_json : report_check;

	if (json)
		e.list = json_object_new_array();
	if (json && e.list == NULL)
		return false;
	config = open_config(&e, path);
	e.config = config;
	if (e.by == BY_DOCTOR && !json)
		e.report = report_doctor;
	if (config != NULL)
		run_checks(&e);
	if (json)
		print_json(&e);
	else
		print_end(&e);
	(void)json_object_put(e.list);
	config_free(config);
	return e.problems == 0;
}

bool
checks_check(const char *path, bool json)
{
	return examine((struct examination){.by = BY_CHECK}, path, json);
}

bool
checks_doctor(const char *url, bool no_engine, bool json)
{
	return examine((struct examination){.by = BY_DOCTOR, .url = url,
	    .no_engine = no_engine}, NULL, json);
}

void
checks_list(void)
{
	size_t i;

	(void)printf("check and doctor look at:\n");
	for (i = 0; i < N_CHECKS; i++)
		(void)printf("  %-7s %-14s %s\n",
		    (checks[i].by & BY_CHECK) != 0 ? "both" : "doctor",
		    checks[i].name, checks[i].looks_at);
}
