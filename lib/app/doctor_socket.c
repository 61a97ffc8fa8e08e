/*
 * The socket between web server and parlance.fcgi, from both ends: every
 * address that one of them names is looked at once.
 *
 * Nothing is connected to where /proc/net/unix tells who listens: under
 * systemd a connection would start the service.
 */
#include "app/doctor_socket.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "app/examination.h"
#include "app/candidates.h"
#include "config/config.h"

#define ARENA_MAX ((size_t)64 << 20)

/* An address, and who names it. */
struct look {
	struct examination *e;
	struct arena *a;
	const struct candidates *candidates;
	const char *address;
	const struct candidate *process, *unit, *server; /* the first of each */
	bool sure;            /* it is known to be this deployment's */
	struct stat st;
};

/* What is wrong with somebody else's socket is only worth a note. */
static enum severity
wrong(const struct look *l)
{
	return l->sure ? FINDING_WRONG : FINDING_NOTE;
}

/* By the file alone: a static program cannot ask further (LDAP); then it is
 * the number, which every command takes too. */
static const char *
name_in(struct arena *a, const char *path, long id)
{
	struct span rest = span_of(machine_read(a, path, NULL));
	struct span line, name;
	int64_t number;

	while (rest.len > 0) {
		line = span_cut(&rest, '\n');
		name = span_cut(&line, ':');
		(void)span_cut(&line, ':');
		if (text_to_int64(span_cut(&line, ':'), 0, UINT32_MAX,
			&number) && number == id)
			return arena_strndup(a, name.data, name.len);
	}
	return arena_printf(a, "%ld", id);
}

static const char *
user_name(struct arena *a, uid_t uid)
{
	return name_in(a, "/etc/passwd", (long)uid);
}

static const char *
group_name(struct arena *a, gid_t gid)
{
	return name_in(a, "/etc/group", (long)gid);
}

/* As the shell wants it. */
static const char *
shell(struct arena *a, const char *text)
{
	const char *p;

	for (p = text; *p != '\0'; p++)
		if (!text_is_alnum(*p) && strchr("/._-+:,@%=", *p) == NULL)
			break;
	if (*p == '\0' || strchr(text, '\'') != NULL)
		return text;
	return arena_printf(a, "'%s'", text);
}

/* ---- what fixes it ------------------------------------------------------ */

static bool
by_systemd(const struct look *l)
{
	return l->unit != NULL && access("/run/systemd/system", F_OK) == 0;
}

/* The web server's process whose file names the address; its workers are
 * the ones that connect. */
static const struct process *
connecting(const struct look *l, const struct candidate *candidate)
{
	const struct processes *all = &l->candidates->processes;
	const struct process *found = machine_process(all, candidate->pid);
	size_t i;

	if (found == NULL || found->who.uid != 0)
		return found;
	for (i = 0; i < all->n; i++)
		if (all->all[i].parent == candidate->pid &&
		    all->all[i].who.uid != 0)
			return &all->all[i];
	return found;
}

/* The group that the web server is in; NULL when none is seen. */
static const char *
wanted_group(const struct look *l)
{
	const struct process *p = l->server == NULL
	    ? NULL : connecting(l, l->server);

	return p == NULL ? NULL : group_name(l->a, p->who.gid);
}

/* A command that has somebody listen at the address. */
static const char *
start_line(const struct look *l)
{
	const char *group = wanted_group(l);
	const char *program = machine_beside(l->a, "parlance.fcgi");

	if (by_systemd(l))
		return "systemctl enable parlance.socket && "
		       "systemctl restart parlance.socket";
	return arena_printf(l->a, "PARLANCE_CONFIG=%s %s --socket %s%s%s &",
	    shell(l->a, l->e->config->path), program != NULL
	    ? shell(l->a, program) : "parlance.fcgi",
	    shell(l->a, l->address), group == NULL ? "" : " --group ",
	    group == NULL ? "" : group);
}

/* The line of that server's file that names the address. */
static const char *
server_line(struct arena *a, enum candidate_source source, const char *address)
{
	bool path = address[0] == '/';

	if (source == CANDIDATE_LIGHTTPD)
		return arena_printf(a, "var.parlance_socket = \"%s\"",
		    address);
	if (source == CANDIDATE_NGINX)
		return arena_printf(a, "upstream parlance { server %s%s; }",
		    path ? "unix:" : "", address);
	return arena_printf(a, "Define PARLANCE_SOCKET %s", address);
}

/* Another address where our process listens, or the only one that may be
 * ours. */
static const char *
elsewhere(const struct look *l)
{
	const struct candidate *p, *unknown = NULL;
	size_t i, n = 0;

	for (i = 0; i < l->candidates->n; i++) {
		p = &l->candidates->all[i];
		if (p->source != CANDIDATE_PROCESS || p->foreign ||
		    strcmp(p->address, l->address) == 0 ||
		    p->address[0] != '/')
			continue;
		if (p->ours)
			return p->address;
		if (access(p->address, F_OK) == 0) {
			unknown = p;
			n++;
		}
	}
	return n == 1 ? unknown->address : NULL;
}

static const char *
named_by(const struct look *l)
{
	const struct candidate *p = l->server != NULL ? l->server
	    : l->unit != NULL			  ? l->unit
						  : l->process;

	return p->where;
}

/* Nobody is at the other end: a wrong name, or nothing was started. */
static void
nobody(const struct look *l, const char *what)
{
	const char *other = l->server == NULL ? NULL : elsewhere(l);

	if (other != NULL)
		finding(l->e, wrong(l), "socket",
		    server_line(l->a, l->server->source, other),
		    "%s %s, which %s names (%s); parlance.fcgi listens at %s",
		    l->address, what, candidate_server(l->server->source),
		    l->server->where, other);
	else
		finding(l->e, wrong(l), "socket", start_line(l),
		    "%s %s (named by %s)", l->address, what, named_by(l));
}

/* ---- who may connect ---------------------------------------------------- */

/* The first folder above the address that he cannot enter, or NULL. */
static const char *
closed_folder(const struct look *l, const struct who *who)
{
	char *folder = arena_strdup(l->a, l->address), *slash;
	struct stat st;

	for (slash = folder; slash != NULL &&
	    (slash = strchr(slash + 1, '/')) != NULL;) {
		*slash = '\0';
		if (stat(folder, &st) == 0 && !who_may(who, &st, 1))
			return folder;
		*slash = '/';
	}
	return NULL;
}

static bool
has_acl(const char *path)
{
	return getxattr(path, "system.posix_acl_access", NULL, 0) > 0;
}

/* Gives the socket to a group, now and for later. */
static const char *
give_line(const struct look *l, const char *group)
{
	if (by_systemd(l))
		return arena_printf(l->a, "mkdir -p /etc/systemd/system/"
		    "parlance.socket.d && printf '[Socket]\\nSocketGroup=%s"
		    "\\nSocketMode=0660\\n' >/etc/systemd/system/"
		    "parlance.socket.d/group.conf && systemctl daemon-reload "
		    "&& systemctl stop parlance.service && "
		    "systemctl restart parlance.socket", group);
	return arena_printf(l->a, "chgrp %s %s && chmod 0660 %s", group,
	    shell(l->a, l->address), shell(l->a, l->address));
}

/* False after a finding. */
static bool
server_may(const struct look *l, const struct candidate *candidate)
{
	const struct process *p = connecting(l, candidate);
	const char *server = candidate_server(candidate->source), *folder,
		   *user;

	if (p == NULL) {
		finding(l->e, FINDING_NOTE, "socket", NULL,
		    "%s, which names it (%s), does not run, so whether it "
		    "may connect is not seen", server, candidate->where);
		return false;
	}
	user = user_name(l->a, p->who.uid);
	folder = closed_folder(l, &p->who);
	if (folder != NULL) {
		finding(l->e, wrong(l), "socket",
		    arena_printf(l->a, "chmod a+x %s", shell(l->a, folder)),
		    "%s runs as %s, who cannot enter %s to reach it", server,
		    user, folder);
		return false;
	}
	if (who_may(&p->who, &l->st, 2) || has_acl(l->address))
		return true;
	finding(l->e, wrong(l), "socket", give_line(l, group_name(l->a,
	    p->who.gid)), "%s runs as %s, who may not connect to %s "
	    "(%s:%s, mode %04o)%s%s", server, user, l->address,
	    user_name(l->a, l->st.st_uid), group_name(l->a, l->st.st_gid),
	    (unsigned)l->st.st_mode & 07777, by_systemd(l) ? "" :
	    "; from now on start parlance.fcgi with --group ",
	    by_systemd(l) ? "" : group_name(l->a, p->who.gid));
	return false;
}

/* Nobody in particular. */
static bool
others_may(const struct look *l)
{
	static const struct who other = {.uid = (uid_t)-2, .gid = (gid_t)-2};

	return (l->st.st_mode & S_IWOTH) != 0 &&
	    closed_folder(l, &other) == NULL;
}

static void
examine_access(const struct look *l)
{
	const char *servers = NULL;
	bool fine = true;
	size_t i;

	if (others_may(l)) {
		finding(l->e, wrong(l), "socket", by_systemd(l)
			? give_line(l, group_name(l->a, l->st.st_gid))
			: arena_printf(l->a, "chmod 0660 %s",
			      shell(l->a, l->address)),
		    "every user of this machine may connect to %s, and is "
		    "trusted", l->address);
		fine = false;
	}
	for (i = 0; i < l->candidates->n; i++) {
		const struct candidate *p = &l->candidates->all[i];

		if (p->source < CANDIDATE_LIGHTTPD ||
		    strcmp(p->address, l->address) != 0)
			continue;
		servers =
		    arena_printf(l->a, "%s%s%s", servers == NULL ? "" : servers,
			servers == NULL ? "" : " and ",
			candidate_server(p->source));
		fine = server_may(l, p) && fine;
	}
	if (fine)
		finding(l->e, FINDING_OK, "socket", NULL,
		    "%s: somebody listens (%s:%s, mode %04o); %s%s",
		    l->address, user_name(l->a, l->st.st_uid),
		    group_name(l->a, l->st.st_gid),
		    (unsigned)l->st.st_mode & 07777, servers == NULL
			? "no web server that names it is found" : servers,
		    servers == NULL ? "" : " may connect");
}

/* ---- does somebody listen ----------------------------------------------- */

/* In the list of sockets, or else by connecting. */
static bool
somebody_listens(const struct look *l)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	bool known, listens;
	int fd;

	if (machine_unix_listens(l->a, l->address, &known))
		return true;
	if ((size_t)snprintf(sun.sun_path, sizeof(sun.sun_path), "%s",
		l->address) >= sizeof(sun.sun_path))
		return false;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	listens = connect(fd, (const struct sockaddr *)(const void *)&sun,
		      sizeof(sun)) == 0 ||
	    errno == EAGAIN || (!known && errno != ECONNREFUSED);
	if (fd >= 0)
		(void)close(fd);
	return listens;
}

static void
examine_path(struct look *l)
{
	if (stat(l->address, &l->st) != 0) {
		if (errno == EACCES)
			finding(l->e, FINDING_NOTE, "socket", NULL,
			    "%s (named by %s) cannot be looked at by %s; "
			    "ask as root", l->address, named_by(l),
			    user_name(l->a, geteuid()));
		else
			nobody(l, "is not there");
	} else if (!S_ISSOCK(l->st.st_mode)) {
		finding(l->e, wrong(l), "socket",
		    arena_printf(l->a, "rm -r %s; %s", shell(l->a,
			l->address), start_line(l)),
		    "%s is no socket (named by %s)", l->address,
		    named_by(l));
	} else if (!somebody_listens(l)) {
		nobody(l, "is stale: nobody listens there");
	} else {
		examine_access(l);
	}
}

/* "HOST:PORT", or a unit's bare "PORT", which means every address. */
static void
examine_tcp(struct look *l)
{
	const char *colon = strrchr(l->address, ':');
	const char *text = colon == NULL ? l->address : colon + 1;
	bool listens, open;
	int64_t port;

	if (!text_to_int64(span_of(text), 1, 65535, &port))
		return;
	machine_tcp_listens(l->a, (int)port, &listens, &open);
	if (open || (l->unit != NULL && colon == NULL))
		finding(l->e, wrong(l), "socket", l->unit != NULL
			? arena_printf(l->a, "ListenStream=127.0.0.1:%d",
			      (int)port)
			: arena_printf(l->a, "PARLANCE_CONFIG=%s "
			      "parlance.fcgi --socket 127.0.0.1:%d &",
			      shell(l->a, l->e->config->path), (int)port),
		    "port %d can be reached from other machines, and whoever "
		    "reaches it is trusted (named by %s)", (int)port,
		    named_by(l));
	else if (!listens)
		nobody(l, "is served by nobody");
	else
		finding(l->e, FINDING_OK, "socket", NULL,
		    "%s: somebody listens, for this machine alone (all its "
		    "users; a Unix socket keeps others out)", l->address);
}

/* ---- every address once ------------------------------------------------- */

/* /var/run is /run. */
static const char *
plain(const char *address)
{
	return strncmp(address, "/var/run/", 9) == 0 ? address + 4 : address;
}

/* Who names it; false when it is another deployment's, or a unit that is
 * not in use. */
static bool
gather(struct look *l)
{
	bool ours = false, foreign = false;
	const struct candidate *p;
	size_t i;

	for (i = 0; i < l->candidates->n; i++) {
		p = &l->candidates->all[i];
		if (strcmp(p->address, l->address) != 0)
			continue;
		ours = ours || p->ours;
		foreign = foreign || p->foreign;
		if (p->source == CANDIDATE_PROCESS && l->process == NULL)
			l->process = p;
		if (p->source == CANDIDATE_UNIT && l->unit == NULL)
			l->unit = p;
		if (p->source >= CANDIDATE_LIGHTTPD && l->server == NULL)
			l->server = p;
	}
	l->sure = ours || l->server != NULL;
	return ours || (!foreign && (l->process != NULL ||
	    l->server != NULL));
}

/* ---- as whom parlance.fcgi runs ----------------------------------------- */

static void
examine_process(struct examination *e, struct arena *a,
    const struct process *process)
{
	const char *state = e->config->server.state, *user;
	struct stat st;

	user = user_name(a, process->who.uid);
	if (stat(state, &st) == 0 && !who_may(&process->who, &st, 7) &&
	    !has_acl(state))
		finding(e, FINDING_WRONG, "state", arena_printf(a,
		    "chown -R %s %s", user, shell(a, state)),
		    "process %d, parlance.fcgi, runs as %s, who cannot write "
		    "%s", (int)process->pid, user, state);
	if (stat(e->config->path, &st) == 0 &&
	    !who_may(&process->who, &st, 4) && !has_acl(e->config->path))
		finding(e, FINDING_WRONG, "configuration", arena_printf(a,
		    "chgrp %s %s && chmod g+r %s", group_name(a,
		    process->who.gid), shell(a, e->config->path),
		    shell(a, e->config->path)),
		    "process %d, parlance.fcgi, runs as %s, who cannot read "
		    "%s again", (int)process->pid, user, e->config->path);
}

static void
examine_all(
    struct examination *e, struct arena *a, struct candidates *candidates)
{
	const struct process *process;
	size_t i, k, found = 0;

	for (i = 0; i < candidates->n; i++)
		candidates->all[i].address = plain(candidates->all[i].address);
	for (i = 0; i < candidates->n; i++) {
		struct look l = {.e = e, .a = a, .candidates = candidates,
		    .address = candidates->all[i].address};

		for (k = 0; k < i && strcmp(candidates->all[k].address,
		    l.address) != 0; k++)
			continue;
		if (k == i && gather(&l)) {
			found++;
			if (l.address[0] == '/')
				examine_path(&l);
			else
				examine_tcp(&l);
		}
		process = candidates->all[i].ours ? machine_process(
		    &candidates->processes, candidates->all[i].pid) : NULL;
		if (process != NULL)
			examine_process(e, a, process);
	}
	if (candidates->hidden)
		finding(e, FINDING_NOTE, "socket", NULL,
		    "a parlance.fcgi runs on a socket that %s cannot see; "
		    "ask as root", user_name(a, geteuid()));
	else if (found == 0)
		finding(e, FINDING_NOTE, "socket", NULL,
		    "no parlance.fcgi runs, and no web server's file names "
		    "its socket (the CGI program needs none)");
}

void
check_socket(struct examination *e)
{
	struct candidates *candidates;
	struct arena a;

	arena_init(&a, ARENA_MAX);
	candidates = arena_alloc(&a, sizeof(*candidates));
	if (candidates != NULL) {
		candidates_find(candidates, &a, e->config->path);
		examine_all(e, &a, candidates);
	}
	arena_release(&a);
}
