/*
 * Looking for the FastCGI socket; see the header.
 *
 * Of the web servers' files only what names a socket is understood, and the
 * lines that include other files.  A socket counts when it, its line or its
 * upstream block says "parlance", or when something of ours listens there.
 */
#include "app/candidates.h"

#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define FILES_MAX 400
#define DEPTH_MAX 8

struct search {
	struct candidates *p;
	struct arena *a;
	enum candidate_source source;
	pid_t pid;
	const char *base;      /* relative names begin there */
	size_t files;
	bool defined;          /* Apache: PARLANCE_SOCKET has its value */
	const char *host;      /* lighttpd: waits for its port */
	bool in_upstream;      /* nginx: in one that is called parlance */
};

const char *
candidate_server(enum candidate_source source)
{
	return source == CANDIDATE_LIGHTTPD ? "lighttpd"
	    : source == CANDIDATE_NGINX	? "nginx"
	    : source == CANDIDATE_APACHE	? "Apache"
	    : source == CANDIDATE_UNIT	? "systemd"
					: "parlance.fcgi";
}

static void
add(struct search *s, const char *address, const char *where)
{
	struct candidates *p = s->p;
	size_t i;

	if (address == NULL || where == NULL || p->n == CANDIDATES_MAX)
		return;
	for (i = 0; i < p->n; i++)
		if (p->all[i].source == s->source &&
		    p->all[i].pid == s->pid &&
		    strcmp(p->all[i].address, address) == 0)
			return;
	p->all[p->n++] = (struct candidate){.source = s->source,
	    .address = address, .where = where, .pid = s->pid};
}

static bool
contains(struct span text, const char *what)
{
	size_t len = strlen(what), i;

	for (i = 0; i + len <= text.len; i++)
		if (strncasecmp(text.data + i, what, len) == 0)
			return true;
	return false;
}

/* ---- parlance.fcgi ------------------------------------------------------ */

static const char *
base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? path : slash + 1;
}

static const char *
link_of(struct arena *a, pid_t pid, const char *name)
{
	char path[64], target[PATH_MAX];
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	n = readlink(path, target, sizeof(target) - 1);
	return n <= 0 ? NULL : arena_strndup(a, target, (size_t)n);
}

static bool
same_file(const char *one, const char *other)
{
	struct stat a, b;

	return stat(one, &a) == 0 && stat(other, &b) == 0 &&
	    a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/* Which configuration does it read?  By its environment, which only its own
 * user and root may see. */
static void
look_whose(struct search *s, struct candidate *candidate, const char *config)
{
	size_t len = 0, i;
	char name[64];
	const char *text, *read = NULL, *program;

	(void)snprintf(name, sizeof(name), "/proc/%d/environ",
	    (int)candidate->pid);
	text = machine_read(s->a, name, &len);
	program = link_of(s->a, candidate->pid, "exe");
	if (text == NULL || program == NULL)
		return;
	for (i = 0; i < len; i += strlen(text + i) + 1)
		if (strncmp(text + i, "PARLANCE_CONFIG=", 16) == 0)
			read = text + i + 16;
	if (read == NULL) {
		read = arena_printf(s->a, "%.*s/parlance.conf",
		    (int)(base_name(program) - program - 1), program);
		if (read == NULL || access(read, F_OK) != 0)
			read = "/etc/parlance/parlance.conf";
	}
	candidate->ours = same_file(read, config);
	candidate->foreign = !candidate->ours;
}

static const char *
option_socket(char **arguments)
{
	size_t i, len;

	for (i = 1; arguments[i] != NULL; i++) {
		const char *argument = arguments[i];

		len = strcspn(argument, "=");
		if (len < 4 || len > 8 ||
		    strncmp(argument, "--socket", len) != 0)
			continue;
		return argument[len] == '=' ? argument + len + 1
					    : arguments[i + 1];
	}
	return NULL;
}

static const char *
given_socket(struct search *s, pid_t pid)
{
	static const char *const names[] = {"fd/3", "fd/0"};
	const char *target, *address = NULL;
	size_t i;

	for (i = 0; i < 2 && address == NULL; i++) {
		target = link_of(s->a, pid, names[i]);
		if (target == NULL ||
		    strncmp(target, "socket:[", 8) != 0)
			continue;
		address = machine_socket_address(s->a, (struct span){
		    target + 8, strcspn(target + 8, "]")});
	}
	return address;
}

static const char *
process_address(struct search *s, const struct process *process)
{
	const char *address = option_socket(process->arguments), *folder;

	if (address == NULL)
		return given_socket(s, process->pid);
	if (address[0] == '/' ||
	    (strchr(address, '/') == NULL && strchr(address, ':') != NULL))
		return address;
	folder = link_of(s->a, process->pid, "cwd");
	return folder == NULL ? NULL : arena_printf(s->a, "%s/%s", folder,
					   address);
}

static enum candidate_source
server_source(const char *name)
{
	return strcmp(name, "lighttpd") == 0 ? CANDIDATE_LIGHTTPD
	    : strcmp(name, "nginx") == 0     ? CANDIDATE_NGINX
	    : strcmp(name, "apache2") == 0 || strcmp(name, "httpd") == 0
	    ? CANDIDATE_APACHE
	    : CANDIDATE_PROCESS;
}

static void
find_processes(struct search *s, const char *config)
{
	const struct processes *all = &s->p->processes;
	const struct process *process, *parent;
	struct candidate *candidate;
	size_t i, n = s->p->n;
	const char *address;

	for (i = 0; i < all->n; i++) {
		process = &all->all[i];
		if (strcmp(base_name(process->arguments[0]),
			"parlance.fcgi") != 0)
			continue;
		/* A web server that starts it knows its own socket. */
		parent = machine_process(all, process->parent);
		if (parent != NULL &&
		    server_source(parent->name) != CANDIDATE_PROCESS)
			continue;
		address = process_address(s, process);
		s->p->hidden = s->p->hidden || address == NULL;
		s->pid = process->pid;
		add(s, address, arena_printf(s->a, "process %d",
		    (int)process->pid));
		if (s->p->n == n)
			continue;
		candidate = &s->p->all[n++];
		look_whose(s, candidate, config);
	}
	s->pid = 0;
}

/* ---- systemd ------------------------------------------------------------ */

static const char *const unit_folders[] = {"/etc/systemd/system",
    "/run/systemd/system", "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system", "/lib/systemd/system"};
#define UNIT_FOLDERS (sizeof(unit_folders) / sizeof(unit_folders[0]))

/* Reads ListenStream; an empty one forgets those before. */
static void
read_unit(struct search *s, const char *path, size_t before)
{
	struct span rest = span_of(machine_read(s->a, path, NULL));
	struct span line, name;
	int number = 0;

	while (rest.len > 0) {
		line = span_trim(span_cut(&rest, '\n'));
		number++;
		name = span_trim(span_cut(&line, '='));
		line = span_trim(line);
		if (!span_is(name, "ListenStream"))
			continue;
		if (line.len == 0)
			s->p->n = before;
		else
			add(s, arena_strndup(s->a, line.data, line.len),
			    arena_printf(s->a, "%s, line %d", path,
			    number));
	}
}

static bool
unit_begins(struct arena *a, const char *name)
{
	const char *path = arena_printf(a,
	    "/etc/systemd/system/sockets.target.wants/%s", name);
	struct stat st;

	return path != NULL && lstat(path, &st) == 0;
}

static void
find_unit(struct search *s, const char *path)
{
	const char *name = base_name(path), *pattern;
	size_t before = s->p->n, i, k;
	glob_t more;

	read_unit(s, path, before);
	for (i = UNIT_FOLDERS; i > 0; i--) {
		pattern = arena_printf(s->a, "%s/%s.d/*.conf",
		    unit_folders[i - 1], name);
		if (pattern == NULL || glob(pattern, 0, NULL, &more) != 0)
			continue;
		for (k = 0; k < more.gl_pathc; k++)
			read_unit(s, more.gl_pathv[k], before);
		globfree(&more);
	}
	for (i = before; i < s->p->n; i++)
		s->p->all[i].ours = unit_begins(s->a, name);
}

static void
find_units(struct search *s)
{
	const char *seen[16];
	size_t n = 0, i, k, m;
	char pattern[128];
	glob_t units;

	s->source = CANDIDATE_UNIT;
	for (i = 0; i < UNIT_FOLDERS; i++) {
		(void)snprintf(pattern, sizeof(pattern),
		    "%s/parlance*.socket", unit_folders[i]);
		if (glob(pattern, 0, NULL, &units) != 0)
			continue;
		for (k = 0; k < units.gl_pathc && n < 16; k++) {
			char *path = arena_strdup(s->a, units.gl_pathv[k]);

			/* The first folder that has it decides. */
			for (m = 0; path != NULL && m < n; m++)
				if (strcmp(seen[m], base_name(path)) == 0)
					path = NULL;
			if (path == NULL)
				continue;
			seen[n++] = base_name(path);
			find_unit(s, path);
		}
		globfree(&units);
	}
}

/* ---- the web servers' files --------------------------------------------- */

static void read_file(struct search *s, const char *path, int depth);

static void
include(struct search *s, struct span name, int depth)
{
	const char *pattern;
	glob_t files;
	size_t i;

	while (name.len > 0 && strchr("\"' ;", name.data[0]) != NULL)
		name.data++, name.len--;
	while (name.len > 0 && strchr("\"' ;", name.data[name.len - 1]) !=
	    NULL)
		name.len--;
	if (name.len == 0 || depth >= DEPTH_MAX)
		return;
	pattern = name.data[0] == '/'
	    ? arena_strndup(s->a, name.data, name.len)
	    : arena_printf(s->a, "%s/%.*s", s->base, (int)name.len,
		  name.data);
	if (pattern == NULL || glob(pattern, 0, NULL, &files) != 0)
		return;
	for (i = 0; i < files.gl_pathc; i++)
		read_file(s, arena_strdup(s->a, files.gl_pathv[i]), depth +
		    1);
	globfree(&files);
}

/* What stands between quotes, the n-th time (0 is the first). */
static struct span
quoted(struct span line, int n)
{
	struct span inside = SPAN_NONE;

	do {
		(void)span_cut(&line, '"');
		inside = span_cut(&line, '"');
	} while (n-- > 0);
	return inside;
}

/* Up to a space, or one of these ends. */
static struct span
until(struct span text, const char *ends)
{
	size_t n = 0;

	while (n < text.len && text.data[n] != ' ' && text.data[n] != '\t' &&
	    strchr(ends, text.data[n]) == NULL)
		n++;
	return (struct span){text.data, n};
}

static struct span
after(struct span text, const char *what)
{
	size_t len = strlen(what), i;

	for (i = 0; i + len <= text.len; i++)
		if (memcmp(text.data + i, what, len) == 0)
			return span_trim((struct span){text.data + i + len,
			    text.len - i - len});
	return SPAN_NONE;
}

/* named: what stands around it says "parlance". */
static void
add_socket(struct search *s, struct span address, const char *where,
    bool named)
{
	size_t n = s->p->n;

	if (address.len == 0 ||
	    memchr(address.data, '$', address.len) != NULL)
		return;
	add(s, arena_strndup(s->a, address.data, address.len), where);
	if (s->p->n > n)
		s->p->all[n].named = named || contains(address, "parlance");
}

static void
lighttpd_line(struct search *s, struct span line, const char *where,
    int depth)
{
	struct span socket;
	int64_t port;

	if (span_starts(line, "include_shell")) {
		/* Debian's way of "conf-enabled". */
		if (contains(line, "include-conf-enabled"))
			include(s, SPAN("conf-enabled/*.conf"), depth);
	} else if (span_starts(line, "include")) {
		include(s, quoted(line, 0), depth);
	} else if (contains(line, "parlance_socket") &&
	    quoted(line, 0).len > 0) {
		add_socket(s, quoted(line, 0), where, true);
	}
	socket = after(line, "\"socket\"");
	if (socket.len > 0)
		add_socket(s, quoted(socket, 0), where, false);
	socket = quoted(after(line, "\"host\""), 0);
	if (socket.len > 0)
		s->host = arena_strndup(s->a, socket.data, socket.len);
	socket = after(after(line, "\"port\""), "=>");
	if (s->host != NULL && text_to_int64(until(socket, ",)"), 1, 65535,
		&port)) {
		add(s, arena_printf(s->a, "%s:%d", s->host, (int)port),
		    where);
		s->host = NULL;
	}
}

/* An nginx line may hold several statements. */
static void
nginx_statement(struct search *s, struct span line, const char *where,
    int depth)
{
	struct span rest = line, name = until(line, ";{}"), value;

	rest.data += name.len;
	rest.len -= name.len;
	value = until(span_trim(rest), ";{}");
	if (span_is(name, "include"))
		include(s, value, depth);
	else if (span_is(name, "upstream"))
		s->in_upstream = contains(value, "parlance");
	else if ((span_is(name, "server") && s->in_upstream) ||
	    (span_is(name, "fastcgi_pass") &&
		memchr(value.data == NULL ? "" : value.data, ':',
		    value.len) != NULL))
		add_socket(s, span_starts(value, "unix:") ? after(value,
		    "unix:") : value, where, s->in_upstream);
}

static void
nginx_line(struct search *s, struct span line, const char *where, int depth)
{
	size_t i, from = 0;

	for (i = 0; i <= line.len; i++) {
		if (i < line.len && strchr(";{}", line.data[i]) == NULL)
			continue;
		nginx_statement(s, span_trim((struct span){line.data + from,
		    i - from}), where, depth);
		if (i < line.len && line.data[i] == '}')
			s->in_upstream = false;
		from = i + 1;
	}
}

static void
apache_line(struct search *s, struct span line, const char *where, int depth)
{
	struct span rest = line, name = until(line, ""), value;

	rest.data += name.len;
	rest.len -= name.len;
	rest = span_trim(rest);
	if (span_is_nocase(name, "Include") ||
	    span_is_nocase(name, "IncludeOptional")) {
		include(s, rest, depth);
	} else if (span_is_nocase(name, "Define")) {
		value = until(rest, "");
		if (!span_is(value, "PARLANCE_SOCKET") || s->defined)
			return;
		s->defined = true;
		value = after(rest, "PARLANCE_SOCKET");
		add_socket(s, value.len > 0 && value.data[0] == '"'
			? quoted(value, 0)
			: until(value, ""), where, true);
	} else {
		add_socket(s, until(after(line, "unix:"), "|\""), where,
		    contains(line, "parlance"));
		/* "fcgi://NAME" after a Unix socket is only a name. */
		value = until(after(line, "fcgi://"), "/\"");
		if (after(line, "unix:").len == 0 && value.len > 0 &&
		    memchr(value.data, ':', value.len) != NULL)
			add_socket(s, value, where, false);
	}
}

static void
read_file(struct search *s, const char *path, int depth)
{
	struct span rest, line;
	const char *where;
	int number = 0;

	if (path == NULL || s->files++ >= FILES_MAX)
		return;
	rest = span_of(machine_read(s->a, path, NULL));
	while (rest.len > 0) {
		line = span_trim(span_cut(&rest, '\n'));
		number++;
		if (line.len == 0 || line.data[0] == '#')
			continue;
		where = arena_printf(s->a, "%s, line %d", path, number);
		if (s->source == CANDIDATE_LIGHTTPD)
			lighttpd_line(s, line, where, depth);
		else if (s->source == CANDIDATE_NGINX)
			nginx_line(s, line, where, depth);
		else
			apache_line(s, line, where, depth);
	}
}

static const char *
standard_file(enum candidate_source source)
{
	if (source == CANDIDATE_LIGHTTPD)
		return "/etc/lighttpd/lighttpd.conf";
	if (source == CANDIDATE_NGINX)
		return "/etc/nginx/nginx.conf";
	return access("/etc/apache2/apache2.conf", F_OK) == 0
	    ? "/etc/apache2/apache2.conf"
	    : "/etc/httpd/conf/httpd.conf";
}

static void
search_file(struct search *s, enum candidate_source source, pid_t pid,
    const char *path)
{
	char *base = arena_strdup(s->a, path), *slash;

	if (base == NULL)
		return;
	slash = strrchr(base, '/');
	if (slash != NULL)
		*slash = '\0';
	/* Red Hat's ServerRoot is the folder above. */
	if (source == CANDIDATE_APACHE && slash != NULL &&
	    strcmp(base_name(base), "conf") == 0)
		*strrchr(base, '/') = '\0';
	s->base = base;
	s->source = source;
	s->pid = pid;
	s->files = 0;
	s->defined = s->in_upstream = false;
	s->host = NULL;
	read_file(s, path, 0);
}

/* The file it was started with. */
static const char *
option_file(const struct process *process, enum candidate_source source)
{
	char letter = source == CANDIDATE_NGINX ? 'c' : 'f';
	size_t i;

	for (i = 1; process->arguments[i] != NULL; i++) {
		const char *argument = process->arguments[i];

		if (argument[0] != '-' || argument[1] != letter)
			continue;
		return argument[2] != '\0' ? argument + 2
					   : process->arguments[i + 1];
	}
	return NULL;
}

static void
find_servers(struct search *s)
{
	static const enum candidate_source sources[] = {CANDIDATE_LIGHTTPD,
	    CANDIDATE_NGINX, CANDIDATE_APACHE};
	const struct processes *all = &s->p->processes;
	const struct process *process, *parent;
	bool running[CANDIDATE_APACHE + 1] = {false};
	enum candidate_source source;
	const char *path;
	size_t i;

	for (i = 0; i < all->n; i++) {
		process = &all->all[i];
		source = server_source(process->name);
		parent = machine_process(all, process->parent);
		if (source == CANDIDATE_PROCESS || (parent != NULL &&
		    server_source(parent->name) == source))
			continue;
		path = option_file(process, source);
		if (path == NULL || strcmp(path, standard_file(source)) == 0)
			running[source] = true;
		if (path == NULL || path[0] == '/')
			search_file(s, source, process->pid, path == NULL
			    ? standard_file(source) : path);
	}
	for (i = 0; i < 3; i++)
		if (!running[sources[i]])
			search_file(s, sources[i], 0,
			    standard_file(sources[i]));
}

/* Another program's sockets are none of our business. */
static void
drop_strangers(struct candidates *p)
{
	size_t i, k, n = 0;

	for (i = 0; i < p->n; i++) {
		bool keep = p->all[i].source < CANDIDATE_LIGHTTPD ||
		    p->all[i].named;

		for (k = 0; k < p->n && !keep; k++)
			keep = p->all[k].source < CANDIDATE_LIGHTTPD &&
			    strcmp(p->all[k].address, p->all[i].address) ==
			    0;
		if (keep)
			p->all[n++] = p->all[i];
	}
	p->n = n;
}

void
candidates_find(struct candidates *p, struct arena *a, const char *config)
{
	struct search s = {.p = p, .a = a, .source = CANDIDATE_PROCESS};

	memset(p, 0, sizeof(*p));
	machine_processes(a, &p->processes);
	find_processes(&s, config);
	find_units(&s);
	find_servers(&s);
	drop_strangers(p);
}
