/*
 * parlance.fcgi: a FastCGI responder.  The main thread reads the options,
 * opens the socket, starts the workers, and then waits for signals: SIGTERM,
 * SIGINT and SIGUSR1 end it gently, SIGHUP reads the configuration again.
 */
#include <errno.h>
#include <fcgiapp.h>
#include <getopt.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "app/app.h"
#include "app/load_config.h"
#include "app/version.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "config/config.h"
#include "listener.h"
#include "workers.h"

#define TICK_MS 5000
#define RELIEVING_MS 200 /* a tick while the process before us ends */
#define STORES 8     /* database connections; leased for moments */
#define CUT_MS 5000  /* for answers to end after they were cut */
#define DESCRIPTORS_EACH 5
#define DESCRIPTORS_MORE 64

struct options {
	struct listener_options listener;
	int64_t workers, stop_seconds;
	bool help, version;
};

static const char usage[] =
    "usage: parlance.fcgi [OPTIONS]\n"
    "\n"
    "Answers FastCGI requests of a web server, many at once.\n"
    "\n"
    "  --socket PATH       listen on a Unix socket (mode 0660)\n"
    "  --socket HOST:PORT  listen on an address of this machine\n"
    "                      (without --socket: on descriptor 0, or on what\n"
    "                      systemd gives)\n"
    "  --group GROUP       the group of the Unix socket's file, that of the\n"
    "                      web server\n"
    "  --take-over         relieve the process that serves the Unix socket,\n"
    "                      without losing a request\n"
    "  --workers N         answer at most so many requests at once (256)\n"
    "  --stop-seconds N    after SIGTERM let answers go on so long (30)\n"
    "  --help, --version   print this, or the version\n"
    "\n"
    "SIGTERM ends it when its answers are written; SIGHUP reads the\n"
    "configuration again, and a faulty one changes nothing.\n";

static bool
number(const char *text, int64_t min, int64_t max, int64_t *value,
    const char *option)
{
	if (text_to_int64(span_of(text), min, max, value))
		return true;
	(void)fprintf(stderr, "parlance.fcgi: --%s must be a number from %lld "
			      "to %lld\n", option, (long long)min,
	    (long long)max);
	return false;
}

static bool
read_options(int argc, char **argv, struct options *o)
{
	static const struct option names[] = {
	    {"socket", required_argument, NULL, 's'},
	    {"workers", required_argument, NULL, 'w'},
	    {"group", required_argument, NULL, 'g'},
	    {"take-over", no_argument, NULL, 't'},
	    {"stop-seconds", required_argument, NULL, 'S'},
	    {"help", no_argument, NULL, 'h'},
	    {"version", no_argument, NULL, 'V'},
	    {NULL, 0, NULL, 0},
	};
	bool ok = true;
	int c;

	while (ok && (c = getopt_long(argc, argv, "h", names, NULL)) != -1) {
		switch (c) {
		case 's':
			o->listener.address = optarg;
			break;
		case 'g':
			o->listener.group = optarg;
			break;
		case 't':
			o->listener.take_over = true;
			break;
		case 'w':
			ok = number(optarg, 1, 100000, &o->workers,
			    "workers");
			break;
		case 'S':
			ok = number(optarg, 0, 86400, &o->stop_seconds,
			    "stop-seconds");
			break;
		case 'h':
			o->help = true;
			break;
		case 'V':
			o->version = true;
			break;
		default:
			ok = false;
		}
	}
	if (ok && optind < argc) {
		(void)fprintf(stderr,
		    "parlance.fcgi: unexpected argument: %s\n", argv[optind]);
		ok = false;
	}
	return ok;
}

/* Every worker may hold a connection, an upstream and a file or two. */
static void
allow_descriptors(int64_t workers)
{
	rlim_t wanted = (rlim_t)workers * DESCRIPTORS_EACH + DESCRIPTORS_MORE;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted)
		return;
	limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_cur < wanted)
		log_warn("only %llu descriptors are allowed (ulimit -n); %lld "
			 "workers may need %llu",
		    (unsigned long long)limit.rlim_cur, (long long)workers,
		    (unsigned long long)wanted);
}

static void
block_signals(sigset_t *set)
{
	static const int signals[] = {SIGTERM, SIGINT, SIGUSR1, SIGHUP,
	    SIGPIPE};
	size_t i;

	(void)sigemptyset(set);
	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		(void)sigaddset(set, signals[i]);
	/* Before any thread is made: all of them inherit it. A signal in a
	 * blocked write would break a stream. */
	(void)pthread_sigmask(SIG_BLOCK, set, NULL);
	(void)sigdelset(set, SIGPIPE);
}

static void
reload(struct workers *workers)
{
	struct config *config = load_config();
	struct app *app = config == NULL ? NULL : app_new(config, STORES);

	if (app == NULL || workers_replace(workers, app) != ERR_NONE)
		log_error("the configuration was not reloaded; the old one "
			  "stays in use");
	else
		log_info("the configuration was reloaded");
}

/* Waits for one signal, a tick at the most; 0: none came. */
static int
next_signal(const sigset_t *set, long ms)
{
	struct timespec wait = {.tv_sec = ms / 1000,
	    .tv_nsec = ms % 1000 * 1000000L};
	int sig = sigtimedwait(set, NULL, &wait);

	return sig < 0 ? 0 : sig;
}

/* Lets the answers end; returns how many had to be left. */
static size_t
finish(struct workers *workers, struct listener *listener,
    const sigset_t *set, int64_t seconds)
{
	int64_t until = clock_monotonic_ms() + seconds * 1000;
	size_t left;

	listener_retire(listener);
	workers_stop(workers, listener->own);
	do {
		left = workers_wait(workers, 100);
		if (next_signal(set, 0) != 0)
			break; /* asked twice: now */
	} while (left > 0 && clock_monotonic_ms() < until);
	if (left == 0)
		return 0;
	left = workers_cut(workers);
	if (left > 0)
		log_warn("%zu %s aborted", left,
		    left == 1 ? "answer" : "answers");
	return workers_wait(workers, CUT_MS);
}

static int
run(struct workers *workers, struct listener *listener, const sigset_t *set,
    const struct options *o)
{
	size_t left;
	int sig;

	listener_relieve(listener);
	for (;;) {
		sig = next_signal(set,
		    listener->previous > 0 ? RELIEVING_MS : TICK_MS);
		workers_tick(workers);
		listener_lock_late(listener);
		if (sig == SIGHUP)
			reload(workers);
		else if (sig != 0)
			break;
	}
	left = finish(workers, listener, set, o->stop_seconds);
	if (left > 0)
		_exit(EXIT_SUCCESS); /* threads still use what is shared */
	workers_free(workers);
	listener_close(listener);
	return EXIT_SUCCESS;
}

/* Who relieves another must be able to do its work: otherwise that one goes
 * on.  NULL after a line of the log. */
static struct app *
open_app(const struct options *o)
{
	struct config *config = load_config();
	struct app *app = config == NULL ? NULL : app_new(config, STORES);
	enum err err;

	if (config != NULL && app == NULL)
		log_error("cannot start: out of memory");
	if (app == NULL || !o->listener.take_over)
		return app;
	err = app_ready(app);
	if (err == ERR_NONE)
		return app;
	log_error("nothing was taken over: the state folder %s: %s",
	    app_config(app)->server.state, err_text(err));
	app_free(app);
	return NULL;
}

/*
 * The C library keeps, for each thread and each size of block, up to seven
 * blocks that were freed, and calloc() never takes them: after some requests
 * that is 40 KB for each worker, as much as the stream it serves.  How large
 * a block is kept can be told only to a program that starts, so this one
 * starts itself again, at once, with the same process id.
 */
static void
limit_thread_caches(char **argv)
{
	static const char variable[] = "GLIBC_TUNABLES";
	char path[4096];
	ssize_t n;

	if (getenv(variable) != NULL) /* done, or the operator's own choice */
		return;
	n = readlink("/proc/self/exe", path, sizeof(path) - 1);
	if (n <= 0 || setenv(variable, "glibc.malloc.tcache_max=256", 1) != 0)
		return;
	path[n] = '\0';
	(void)execv(path, argv); /* without it there is more memory in use */
}

int
main(int argc, char **argv)
{
	struct options o = {.workers = 256, .stop_seconds = 30};
	struct listener listener;
	struct workers *workers;
	struct app *app;
	sigset_t set;

	if (!read_options(argc, argv, &o)) {
		(void)fprintf(stderr, "see parlance.fcgi --help\n");
		return 2;
	}
	if (o.help || o.version) {
		if (o.help)
			(void)printf("%s", usage);
		else
			version_print("parlance.fcgi");
		return EXIT_SUCCESS;
	}
	limit_thread_caches(argv);
	/* Thousands of threads: no heap of its own for each. */
	(void)mallopt(M_ARENA_MAX, 2);
	block_signals(&set);
	allow_descriptors(o.workers);
	app = open_app(&o);
	if (app == NULL)
		return EXIT_FAILURE;
	if (FCGX_Init() != 0 || !listener_open(&listener, &o.listener)) {
		app_free(app);
		return EXIT_FAILURE;
	}
	workers = workers_new(app, listener.fd, (size_t)o.workers);
	if (workers == NULL)
		log_error("cannot start: out of memory or threads");
	if (workers == NULL || !listener_publish(&listener)) {
		listener_close(&listener);
		return EXIT_FAILURE;
	}
	return run(workers, &listener, &set, &o);
}
