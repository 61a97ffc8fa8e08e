/* Processes and sockets as /proc shows them; see the header. */
#include "app/machine.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define READ_MAX ((size_t)1 << 20)
#define PROCESSES_MAX 65536
#define ARGUMENTS_MAX 256

char *
machine_read(struct arena *a, const char *path, size_t *len)
{
	size_t room = 4096, used = 0;
	char *data = arena_alloc(a, room), *more;
	int fd = data == NULL ? -1 : open(path,
	    O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	ssize_t n;

	if (fd < 0)
		return NULL;
	while ((n = read(fd, data + used, room - 1 - used)) > 0) {
		used += (size_t)n;
		if (used < room - 1)
			continue;
		if (room >= READ_MAX)
			break;
		more = arena_alloc(a, room * 4);
		if (more == NULL)
			break;
		memcpy(more, data, used);
		data = more;
		room *= 4;
	}
	(void)close(fd);
	if (n < 0)
		return NULL;
	data[used] = '\0';
	if (len != NULL)
		*len = used;
	return data;
}

const char *
machine_beside(struct arena *a, const char *name)
{
	char self[4096];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	const char *path;
	char *slash;

	self[n > 0 ? n : 0] = '\0';
	slash = strrchr(self, '/');
	if (slash == NULL)
		return NULL;
	path = arena_printf(a, "%.*s/%s", (int)(slash - self), self, name);
	return path != NULL && access(path, X_OK) == 0 ? path : NULL;
}

/* ---- processes ---------------------------------------------------------- */

static const char *
file_of(struct arena *a, pid_t pid, const char *name)
{
	const char *path = arena_printf(a, "/proc/%d/%s", (int)pid, name);

	return path == NULL ? "" : path;
}

/* The n-th number after "Name:" in the text of /proc/PID/status. */
static bool
status_number(const char *text, const char *name, int n, long *value)
{
	const char *line = strstr(text, name);
	char *end = NULL;

	if (line == NULL)
		return false;
	line += strlen(name);
	do {
		while (*line == ' ' || *line == '\t')
			line++;
		*value = strtol(line, &end, 10);
		if (end == line)
			return false;
		line = end;
	} while (n-- > 0);
	return true;
}

static bool
read_status(struct arena *a, struct process *p)
{
	const char *text = machine_read(a, file_of(a, p->pid, "status"),
	    NULL);
	long value = 0;

	if (text == NULL || !status_number(text, "\nPPid:", 0, &value))
		return false;
	p->parent = (pid_t)value;
	if (!status_number(text, "\nUid:", 1, &value))
		return false;
	p->who.uid = (uid_t)value;
	if (!status_number(text, "\nGid:", 1, &value))
		return false;
	p->who.gid = (gid_t)value;
	while (p->who.n_groups < WHO_GROUPS && status_number(text,
	    "\nGroups:", (int)p->who.n_groups, &value))
		p->who.groups[p->who.n_groups++] = (gid_t)value;
	return true;
}

static bool
read_arguments(struct arena *a, struct process *p)
{
	size_t len = 0, n = 0, i;
	char *text = machine_read(a, file_of(a, p->pid, "cmdline"), &len);
	bool title;

	if (text == NULL || len == 0)
		return false;
	/* nginx writes "nginx: master process nginx -c FILE" over it. */
	title = strncmp(text, "nginx: ", 7) == 0;
	p->arguments = arena_array(a, ARGUMENTS_MAX + 1,
	    sizeof(*p->arguments));
	if (p->arguments == NULL)
		return false;
	for (i = 0; i < len && n < ARGUMENTS_MAX; i++) {
		if (title && text[i] == ' ')
			text[i] = '\0';
		if (text[i] != '\0' && (i == 0 || text[i - 1] == '\0'))
			p->arguments[n++] = text + i;
	}
	return n > 0;
}

static bool
read_process(struct arena *a, struct process *p)
{
	char *name = machine_read(a, file_of(a, p->pid, "comm"), NULL);

	if (name == NULL)
		return false;
	name[strcspn(name, "\n")] = '\0';
	p->name = name;
	return read_arguments(a, p) && read_status(a, p);
}

void
machine_processes(struct arena *a, struct processes *out)
{
	DIR *proc = opendir("/proc");
	struct process p;
	struct dirent *entry;
	size_t room = 0;
	int64_t pid;

	*out = (struct processes){.n = 0};
	while (proc != NULL && out->n < PROCESSES_MAX &&
	    (entry = readdir(proc)) != NULL) {
		if (!text_to_int64(span_of(entry->d_name), 1, INT32_MAX,
			&pid))
			continue;
		p = (struct process){.pid = (pid_t)pid};
		if (!read_process(a, &p))
			continue;
		if (out->n == room) {
			struct process *more;

			room = room == 0 ? 256 : room * 2;
			more = arena_array(a, room, sizeof(*more));
			if (more == NULL)
				break;
			if (out->n > 0)
				memcpy(more, out->all, out->n *
				    sizeof(*more));
			out->all = more;
		}
		out->all[out->n++] = p;
	}
	if (proc != NULL)
		(void)closedir(proc);
}

const struct process *
machine_process(const struct processes *all, pid_t pid)
{
	size_t i;

	for (i = 0; i < all->n; i++)
		if (all->all[i].pid == pid)
			return &all->all[i];
	return NULL;
}

bool
who_may(const struct who *who, const struct stat *st, unsigned mode)
{
	size_t i;
	unsigned shift = 0;

	if (who->uid == 0)
		return true;
	for (i = 0; i < who->n_groups; i++)
		if (who->groups[i] == st->st_gid)
			shift = 3;
	if (who->gid == st->st_gid)
		shift = 3;
	if (who->uid == st->st_uid)
		shift = 6;
	return (st->st_mode >> shift & mode) == mode;
}

/* ---- sockets ------------------------------------------------------------ */

/* The n-th word of a line (0 is the first). */
static struct span
word(struct span line, int n)
{
	struct span w;

	do {
		line = span_trim(line);
		w = span_cut(&line, ' ');
	} while (n-- > 0);
	return span_trim(w);
}

static bool
is_bound_as(struct span bound, const char *path)
{
	size_t i = strlen(path);

	if (!span_starts(bound, path))
		return false;
	if (bound.len == i)
		return true;
	if (bound.data[i] != '.' || bound.len == i + 1)
		return false;
	for (i++; i < bound.len; i++)
		if (!text_is_digit(bound.data[i]))
			return false;
	return true;
}

bool
machine_unix_listens(struct arena *a, const char *path, bool *known)
{
	struct span rest = span_of(machine_read(a, "/proc/net/unix", NULL));
	struct span line;

	*known = rest.len > 0;
	while (rest.len > 0) {
		line = span_cut(&rest, '\n');
		/* Num RefCount Protocol Flags Type St Inode Path; the flag is
		 * SO_ACCEPTCON. */
		if (span_is(word(line, 3), "00010000") &&
		    is_bound_as(word(line, 7), path))
			return true;
	}
	return false;
}

/* "0100007F:1F90": bytes of the address in machine order. */
static bool
is_local(struct span address)
{
	struct span host = span_cut(&address, ':');

	if (host.len == 8)
		return host.data[6] == '7' && text_lower(host.data[7]) == 'f';
	return span_is(host, "00000000000000000000000001000000") ||
	    (span_starts(host, "0000000000000000FFFF0000") &&
		span_ends(host, "7F"));
}

static int
port_of(struct span address)
{
	int port = 0;

	(void)span_cut(&address, ':');
	for (; address.len > 0; address.data++, address.len--)
		port = port * 16 + text_hex_value(address.data[0]);
	return port;
}

/* The TCP sockets of this machine, a line of the kernel's each. */
struct tcp_lines {
	struct arena *a;
	size_t file; /* the next to be read */
	struct span rest;
};

static bool
tcp_next(struct tcp_lines *t, struct span *line)
{
	static const char *const files[] = {"/proc/net/tcp", "/proc/net/tcp6"};

	while (t->rest.len == 0) {
		if (t->file == sizeof(files) / sizeof(files[0]))
			return false;
		t->rest = span_of(machine_read(t->a, files[t->file++], NULL));
		(void)span_cut(&t->rest, '\n'); /* the heading */
	}
	*line = span_cut(&t->rest, '\n');
	return true;
}

void
machine_tcp_listens(struct arena *a, int port, bool *listens, bool *open)
{
	struct tcp_lines lines = {.a = a};
	struct span line;

	*listens = *open = false;
	while (tcp_next(&lines, &line)) {
		if (!span_is(word(line, 3), "0A") ||
		    port_of(word(line, 1)) != port)
			continue;
		*listens = true;
		*open = *open || !is_local(word(line, 1));
	}
}

static const char *
tcp_address(struct arena *a, struct span inode)
{
	struct tcp_lines lines = {.a = a};
	struct span line;

	while (tcp_next(&lines, &line))
		if (span_equal(word(line, 9), inode))
			return arena_printf(a, "%s:%d",
			    is_local(word(line, 1)) ? "127.0.0.1" : "0.0.0.0",
			    port_of(word(line, 1)));
	return NULL;
}

const char *
machine_socket_address(struct arena *a, struct span inode)
{
	struct span rest = span_of(machine_read(a, "/proc/net/unix", NULL));
	struct span line, path;

	while (rest.len > 0) {
		line = span_cut(&rest, '\n');
		path = word(line, 7);
		if (span_equal(word(line, 6), inode) && path.len > 0)
			return arena_strndup(a, path.data, path.len);
	}
	return tcp_address(a, inode);
}
