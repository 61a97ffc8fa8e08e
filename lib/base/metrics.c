/*
 * Counters in a shared mapping, changed by atomic additions.  Open streams
 * are counted in a slot of the process, so that those of a process that was
 * killed can be left out.
 */
#include "base/metrics.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/state_file.h"

#define STATUSES 600
#define SLOTS 512

/* Upper ends of the buckets in microseconds; the last one has none. */
static const int64_t bounds_us[] = {1000, 5000, 25000, 100000, 250000, 500000,
    1000000, 2500000, 5000000, 10000000, 30000000, 120000000};
#define BOUNDS (sizeof(bounds_us) / sizeof(bounds_us[0]))

struct histogram {
	uint64_t buckets[BOUNDS + 1], sum_us;
};

struct slot {
	int64_t pid; /* 0: free */
	int64_t streams;
};

/* What the file holds; another layout is another file (its name has a
 * number). */
struct shared {
	uint64_t requests[METRICS_APIS][STATUSES];
	uint64_t counters[METRICS_COUNTERS_END];
	struct histogram times[METRICS_TIMES_END];
	struct slot slots[SLOTS];
};

static struct shared *shared;
static struct slot *own;
static pthread_mutex_t opening = PTHREAD_MUTEX_INITIALIZER;

static struct shared *
map(const char *path)
{
	int fd = state_file_open(path, O_RDWR | O_NOFOLLOW);
	struct stat st;
	void *at = MAP_FAILED;

	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) == 0 &&
	    (st.st_size == (off_t)sizeof(struct shared) ||
		ftruncate(fd, (off_t)sizeof(struct shared)) == 0))
		at = mmap(NULL, sizeof(struct shared),
		    PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	(void)close(fd);
	return at == MAP_FAILED ? NULL : at;
}

bool
metrics_open(const char *path)
{
	struct shared *mapped;

	(void)pthread_mutex_lock(&opening);
	mapped = __atomic_load_n(&shared, __ATOMIC_ACQUIRE);
	if (mapped == NULL) {
		mapped = map(path);
		__atomic_store_n(&shared, mapped, __ATOMIC_RELEASE);
	}
	(void)pthread_mutex_unlock(&opening);
	return mapped != NULL;
}

static struct shared *
get(void)
{
	return __atomic_load_n(&shared, __ATOMIC_ACQUIRE);
}

bool
metrics_on(void)
{
	return get() != NULL;
}

static void
add(uint64_t *to, uint64_t n)
{
	(void)__atomic_fetch_add(to, n, __ATOMIC_RELAXED);
}

static uint64_t
read_of(const uint64_t *from)
{
	return __atomic_load_n(from, __ATOMIC_RELAXED);
}

void
metrics_add(enum metrics_counter counter, uint64_t n)
{
	struct shared *s = get();

	if (s != NULL)
		add(&s->counters[counter], n);
}

void
metrics_observe_us(enum metrics_time time, int64_t us)
{
	struct shared *s = get();
	size_t i = 0;

	if (s == NULL)
		return;
	if (us < 0)
		us = 0;
	while (i < BOUNDS && us > bounds_us[i])
		i++;
	add(&s->times[time].buckets[i], 1);
	add(&s->times[time].sum_us, (uint64_t)us);
}

void
metrics_request(enum metrics_api api, int status)
{
	struct shared *s = get();

	if (s != NULL && status >= 0 && status < STATUSES)
		add(&s->requests[api][status], 1);
}

/* Does the process of a slot live? */
static bool
alive(int64_t pid)
{
	return pid > 0 && kill((pid_t)pid, 0) == 0;
}

/* This process's slot, taken from nobody or from the dead. */
static struct slot *
own_slot(struct shared *s)
{
	int64_t mine = (int64_t)getpid(), was;
	struct slot *slot = NULL;
	size_t i;

	(void)pthread_mutex_lock(&opening);
	for (i = 0; own == NULL && i < SLOTS; i++) {
		slot = &s->slots[(i + (size_t)mine) % SLOTS];
		was = __atomic_load_n(&slot->pid, __ATOMIC_RELAXED);
		if (was != mine && was != 0 && alive(was))
			continue;
		if (!__atomic_compare_exchange_n(&slot->pid, &was, mine,
			false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
			continue;
		__atomic_store_n(&slot->streams, 0, __ATOMIC_RELEASE);
		__atomic_store_n(&own, slot, __ATOMIC_RELEASE);
	}
	(void)pthread_mutex_unlock(&opening);
	return __atomic_load_n(&own, __ATOMIC_ACQUIRE);
}

void
metrics_stream(int change)
{
	struct shared *s = get();
	struct slot *slot = __atomic_load_n(&own, __ATOMIC_ACQUIRE);

	if (s == NULL)
		return;
	if (slot == NULL)
		slot = own_slot(s);
	if (slot != NULL)
		(void)__atomic_fetch_add(&slot->streams, change,
		    __ATOMIC_RELAXED);
}

/* ---- writing ------------------------------------------------------------ */

static void
head(struct buf *out, const char *name, const char *type, const char *help)
{
	buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name,
	    type);
}

static void
write_requests(struct buf *out, const struct shared *s)
{
	static const char *const apis[METRICS_APIS] = {"botapi",
	    "messagesapi", "other"};
	uint64_t n;
	size_t i, status;

	head(out, "parlance_requests_total", "counter",
	    "Requests by API and status.");
	for (i = 0; i < METRICS_APIS; i++)
		for (status = 0; status < STATUSES; status++) {
			n = read_of(&s->requests[i][status]);
			if (n > 0)
				buf_printf(out,
				    "parlance_requests_total{api=\"%s\","
				    "status=\"%zu\"} %llu\n", apis[i], status,
				    (unsigned long long)n);
		}
}

static void
write_counters(struct buf *out, const struct shared *s)
{
	static const struct {
		const char *name, *labels, *help;
	} counters[] = {
#define X(name, metric, labels, help) {metric, labels, help},
	    METRICS_COUNTERS(X)
#undef X
	};
	size_t i;

	for (i = 0; i < METRICS_COUNTERS_END; i++) {
		if (counters[i].help != NULL)
			head(out, counters[i].name, "counter",
			    counters[i].help);
		buf_printf(out, "%s{%s} %llu\n", counters[i].name,
		    counters[i].labels,
		    (unsigned long long)read_of(&s->counters[i]));
	}
}

static void
write_time(struct buf *out, const char *name, const char *help,
    const struct histogram *h)
{
	uint64_t sum_us = read_of(&h->sum_us), n = 0;
	size_t i;

	head(out, name, "histogram", help);
	for (i = 0; i < BOUNDS; i++) {
		n += read_of(&h->buckets[i]);
		buf_printf(out, "%s_bucket{le=\"%lld.%03lld\"} %llu\n", name,
		    (long long)(bounds_us[i] / 1000000),
		    (long long)(bounds_us[i] / 1000 % 1000),
		    (unsigned long long)n);
	}
	n += read_of(&h->buckets[BOUNDS]);
	buf_printf(out, "%s_bucket{le=\"+Inf\"} %llu\n%s_sum %llu.%06llu\n"
			"%s_count %llu\n", name, (unsigned long long)n, name,
	    (unsigned long long)(sum_us / 1000000),
	    (unsigned long long)(sum_us % 1000000), name,
	    (unsigned long long)n);
}

void
metrics_write(struct buf *out)
{
	static const struct {
		const char *name, *help;
	} times[] = {
#define X(name, metric, help) {metric, help},
	    METRICS_TIMES(X)
#undef X
	};
	const struct shared *s = get();
	int64_t streams = 0;
	size_t i;

	if (s == NULL)
		return;
	write_requests(out, s);
	for (i = 0; i < SLOTS; i++)
		if (alive(__atomic_load_n(&s->slots[i].pid,
			__ATOMIC_ACQUIRE)))
			streams += __atomic_load_n(&s->slots[i].streams,
			    __ATOMIC_RELAXED);
	head(out, "parlance_streams_open", "gauge", "Streams open now.");
	buf_printf(out, "parlance_streams_open %lld\n", (long long)streams);
	write_counters(out, s);
	for (i = 0; i < METRICS_TIMES_END; i++)
		write_time(out, times[i].name, times[i].help, &s->times[i]);
}
