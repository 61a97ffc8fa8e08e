/*
 * libcurl's multi interface in its socket form: libcurl says through two
 * callbacks which descriptors and which time it waits for, each call hands
 * those on as interests, and upstream_step() tells libcurl what is ready.
 *
 * A POST is never sent a second time behind our back.  libcurl would do so
 * when a reused connection dies before the first byte of the reply, and a
 * completion might be paid for twice without anyone knowing; so a call is
 * let through to its request once (CURLOPT_PREREQFUNCTION), and without that
 * option, in an old libcurl, connections are not reused.
 */
#define CURL_DISABLE_TYPECHECK
#include "upstream/upstream.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "config/config.h"
#include "upstream/curl_library.h"

#define CALL_FDS 4
#define MEMBERS_MAX 32
#define KEEP_CONNECTIONS 16L
#define IDLE_CONNECTION_S 60L
/* Above this libcurl is told to stop reading; it may add one buffer more. */
#define PAUSE_BYTES (64 * 1024)
#define IN_MAX (1024 * 1024)
/* Small, because thousands of streams have one each. */
#define READ_BYTES 2048L

/* CURLOPT_PROTOCOLS and its HTTP and HTTPS bits, for a libcurl that is older
 * than the headers, where the name is marked as deprecated. */
#define PROTOCOLS_BITS ((CURLoption)(CURLOPTTYPE_LONG + 181))
#define PROTOCOLS_HTTP_HTTPS 3L

/* The library, once for the process. */
static pthread_once_t loading = PTHREAD_ONCE_INIT;
static bool loaded;
static struct curl_library lib;

static void
load(void)
{
	loaded = curl_library_load(&lib) &&
	    lib.global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}

/* The shared parts, of all workers of the process. */
static struct {
	pthread_mutex_t lock;
	struct upstream *first;
} groups = {.lock = PTHREAD_MUTEX_INITIALIZER};

struct upstream {
	struct upstream *next;
	int members;           /* workers; under groups.lock */
	pthread_mutex_t lock;  /* of all that follows, and of its calls */
	CURLM *multi;
	CURL *spare;     /* a handle for the next call */
	int64_t wake_ms; /* libcurl's time-out; INTERESTS_NEVER for none */
	const struct upstream_call *stepping; /* whose worker is in libcurl */
	int wakeups[MEMBERS_MAX]; /* of calls that have ended, for others */
	size_t n_wakeups;
};

struct upstream_call {
	struct upstream *upstream;
	CURL *easy;
	struct curl_slist *headers;
	struct buf in;       /* what arrived */
	struct buf out;      /* what the worker takes from, without lock */
	size_t taken;        /* bytes of out that were taken */
	/* Set under the lock and read without: workers that share it are
	 * woken together when a model speaks in bursts. */
	_Atomic int64_t received;
	_Atomic size_t waiting; /* in.len */
	_Atomic enum upstream_state state; /* set after what came before it */
	struct pollfd fds[CALL_FDS];
	size_t n_fds;
	int wakeup; /* an eventfd */
	bool sent; /* the request is on its way */
	bool paused, added;
	char reason[CURL_ERROR_SIZE];
};

/* ---- wakeups ------------------------------------------------------------
 *
 * libcurl's time-outs are those of all calls of its tables, so whoever comes
 * to see to them may read what has arrived for another worker's call.  That
 * worker, asleep on its socket, would not notice: poll() looks again before
 * it returns, and finds the socket empty.  So it is rung for. */

static int
take_wakeup(struct upstream *u)
{
	return u->n_wakeups > 0 ? u->wakeups[--u->n_wakeups]
			      : eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

static void
drain_wakeup(int wakeup)
{
	uint64_t rung;

	if (read(wakeup, &rung, sizeof(rung)) < 0)
		return; /* it was quiet */
}

static void
return_wakeup(struct upstream *u, int wakeup)
{
	if (wakeup < 0)
		return;
	drain_wakeup(wakeup);
	if (u->n_wakeups < MEMBERS_MAX)
		u->wakeups[u->n_wakeups++] = wakeup;
	else
		(void)close(wakeup);
}

static void
ring(const struct upstream_call *call)
{
	uint64_t one = 1;

	if (call->upstream->stepping == call)
		return;
	if (write(call->wakeup, &one, sizeof(one)) < 0)
		return; /* it has rung already */
}

/* ---- libcurl's callbacks ------------------------------------------------ */

/* Called before each sending of the request. */
static int
let_through_once(void *context, char *their_ip, char *our_ip, int their_port,
    int our_port)
{
	struct upstream_call *call = context;
	bool again = call->sent;

	(void)their_ip;
	(void)our_ip;
	(void)their_port;
	(void)our_port;
	call->sent = true;
	return again ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

static size_t
receive(char *data, size_t size, size_t count, void *context)
{
	struct upstream_call *call = context;
	size_t n = size * count;

	if (call->in.len > PAUSE_BYTES) {
		call->paused = true;
		return CURL_WRITEFUNC_PAUSE;
	}
	buf_add(&call->in, data, n);
	if (buf_err(&call->in) != ERR_NONE)
		return 0;
	call->received += (int64_t)n;
	call->waiting = call->in.len;
	ring(call);
	return n;
}

static void
call_fd(struct upstream_call *call, curl_socket_t fd, int what)
{
	short events = 0;
	size_t i;

	for (i = 0; i < call->n_fds && call->fds[i].fd != fd; i++)
		continue;
	if (what == CURL_POLL_REMOVE) {
		if (i < call->n_fds)
			call->fds[i] = call->fds[--call->n_fds];
		return;
	}
	if (i == CALL_FDS)
		return; /* the time-outs still drive it */
	if (what == CURL_POLL_IN || what == CURL_POLL_INOUT)
		events |= POLLIN;
	if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT)
		events |= POLLOUT;
	call->fds[i] = (struct pollfd){.fd = fd, .events = events};
	if (i == call->n_fds)
		call->n_fds++;
}

static int
socket_wanted(CURL *easy, curl_socket_t fd, int what, void *context,
    void *socket_context)
{
	struct upstream_call *call = NULL;

	(void)context;
	(void)socket_context;
	if (lib.easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&call) ==
		CURLE_OK &&
	    call != NULL)
		call_fd(call, fd, what);
	return 0;
}

static int
timer_wanted(CURLM *multi, long timeout_ms, void *context)
{
	struct upstream *u = context;

	(void)multi;
	u->wake_ms = timeout_ms < 0 ? INTERESTS_NEVER
				    : clock_monotonic_ms() + timeout_ms;
	return 0;
}

/* ---- the shared part ----------------------------------------------------- */

static void
lock(const struct upstream_call *call)
{
	(void)pthread_mutex_lock(&call->upstream->lock);
}

static void
unlock(const struct upstream_call *call)
{
	(void)pthread_mutex_unlock(&call->upstream->lock);
}

static struct upstream *
make(void)
{
	struct upstream *u = calloc(1, sizeof(*u));

	if (u == NULL)
		return NULL;
	u->wake_ms = INTERESTS_NEVER;
	u->multi = lib.multi_init();
	if (u->multi == NULL || pthread_mutex_init(&u->lock, NULL) != 0) {
		if (u->multi != NULL)
			(void)lib.multi_cleanup(u->multi);
		free(u);
		return NULL;
	}
	(void)lib.multi_setopt(
	    u->multi, CURLMOPT_SOCKETFUNCTION, socket_wanted);
	(void)lib.multi_setopt(u->multi, CURLMOPT_TIMERFUNCTION, timer_wanted);
	(void)lib.multi_setopt(u->multi, CURLMOPT_TIMERDATA, u);
	(void)lib.multi_setopt(
	    u->multi, CURLMOPT_MAXCONNECTS, KEEP_CONNECTIONS);
	return u;
}

enum err
upstream_join(struct upstream **out)
{
	struct upstream *u;

	*out = NULL;
	(void)pthread_once(&loading, load);
	if (!loaded)
		return ERR_UPSTREAM;
	(void)pthread_mutex_lock(&groups.lock);
	for (u = groups.first; u != NULL; u = u->next)
		if (u->members < MEMBERS_MAX)
			break;
	if (u == NULL && (u = make()) != NULL) {
		u->next = groups.first;
		groups.first = u;
	}
	if (u != NULL)
		u->members++;
	(void)pthread_mutex_unlock(&groups.lock);
	*out = u;
	return u == NULL ? ERR_MEMORY : ERR_NONE;
}

void
upstream_leave(struct upstream *u)
{
	struct upstream **at = &groups.first;
	bool last;

	if (u == NULL)
		return;
	(void)pthread_mutex_lock(&groups.lock);
	last = --u->members == 0;
	while (last && *at != u)
		at = &(*at)->next;
	if (last)
		*at = u->next;
	(void)pthread_mutex_unlock(&groups.lock);
	if (!last)
		return;
	if (u->spare != NULL)
		lib.easy_cleanup(u->spare);
	(void)lib.multi_cleanup(u->multi);
	while (u->n_wakeups > 0)
		(void)close(u->wakeups[--u->n_wakeups]);
	(void)pthread_mutex_destroy(&u->lock);
	free(u);
}

/* ---- a call ------------------------------------------------------------- */

static bool
set_transport(CURL *easy, const struct engine_config *engine)
{
	const char *certificates = engine->ca_file != NULL
	    ? engine->ca_file : curl_library_certificates();
	CURLcode bad = CURLE_OK;

#define SET(option, value)                                                     \
	do {                                                                   \
		if (bad == CURLE_OK)                                           \
			bad = lib.easy_setopt(easy, option, value);            \
	} while (0)
	SET(CURLOPT_NOSIGNAL, 1L);
	/* Explicit, or the environment would choose one. */
	SET(CURLOPT_PROXY, engine->proxy != NULL ? engine->proxy : "");
	SET(CURLOPT_NOPROXY, "");
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	/* Compressed events would come in lumps; a server that compresses
	 * all the same is understood. */
	SET(CURLOPT_ACCEPT_ENCODING, "identity");
	SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(CURLOPT_SSL_VERIFYPEER, engine->tls_verify ? 1L : 0L);
	SET(CURLOPT_SSL_VERIFYHOST, engine->tls_verify ? 2L : 0L);
	if (certificates != NULL)
		SET(CURLOPT_CAINFO, certificates);
	if (engine->connect_timeout_ms > 0)
		SET(CURLOPT_CONNECTTIMEOUT_MS,
		    (long)engine->connect_timeout_ms);
	SET(CURLOPT_MAXAGE_CONN, IDLE_CONNECTION_S);
	SET(CURLOPT_TCP_KEEPALIVE, 1L);
	SET(CURLOPT_BUFFERSIZE, READ_BYTES);
	SET(CURLOPT_USERAGENT, "parlance");
#undef SET
	/* Not every libcurl has these. */
	if (lib.easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "https,http") !=
	    CURLE_OK)
		bad = lib.easy_setopt(
		    easy, PROTOCOLS_BITS, PROTOCOLS_HTTP_HTTPS);
	(void)lib.easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
	return bad == CURLE_OK;
}

static bool
set_headers(struct upstream_call *call, const struct upstream_post *post)
{
	const char *const lines[] = {"Content-Type: application/json",
	    "Accept: text/event-stream, application/json", "Expect:",
	    post->authorization, post->idempotency};
	struct curl_slist *longer;
	size_t i;

	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		if (lines[i] == NULL)
			continue;
		longer = lib.slist_append(call->headers, lines[i]);
		if (longer == NULL)
			return false;
		call->headers = longer;
	}
	return lib.easy_setopt(call->easy, CURLOPT_HTTPHEADER, call->headers) ==
	       CURLE_OK;
}

static bool
set_request(struct upstream_call *call, const struct upstream_post *post)
{
	CURL *easy = call->easy;
	CURLcode bad = CURLE_OK;

#define SET(option, value)                                                     \
	do {                                                                   \
		if (bad == CURLE_OK)                                           \
			bad = lib.easy_setopt(easy, option, value);            \
	} while (0)
	SET(CURLOPT_PRIVATE, call);
	SET(CURLOPT_ERRORBUFFER, call->reason);
	SET(CURLOPT_URL, post->url);
	if (post->get) {
		SET(CURLOPT_HTTPGET, 1L);
		SET(CURLOPT_HEADER, 1L);
	} else {
		SET(CURLOPT_POST, 1L);
		SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)post->body.len);
		SET(CURLOPT_POSTFIELDS, post->body.data);
	}
	SET(CURLOPT_WRITEFUNCTION, receive);
	SET(CURLOPT_WRITEDATA, call);
#undef SET
	(void)lib.easy_setopt(easy, CURLOPT_PREREQDATA, call);
	if (lib.easy_setopt(easy, CURLOPT_PREREQFUNCTION, let_through_once) !=
	    CURLE_OK)
		bad = lib.easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
	return bad == CURLE_OK && set_transport(easy, post->engine) &&
	       set_headers(call, post);
}

static enum err
begin(struct upstream_call *call, const struct upstream_post *post)
{
	struct upstream *u = call->upstream;

	call->wakeup = take_wakeup(u);
	if (call->wakeup < 0)
		return ERR_IO;
	call->easy = u->spare != NULL ? u->spare : lib.easy_init();
	u->spare = NULL;
	if (call->easy == NULL)
		return ERR_MEMORY;
	if (!set_request(call, post) ||
	    lib.multi_add_handle(u->multi, call->easy) != CURLM_OK)
		return ERR_CONFIG;
	call->added = true;
	return ERR_NONE;
}

enum err
upstream_start(struct upstream *u, const struct upstream_post *post,
    struct upstream_call **out)
{
	struct upstream_call *call = calloc(1, sizeof(*call));
	enum err err;

	*out = NULL;
	if (call == NULL)
		return ERR_MEMORY;
	buf_init(&call->in, IN_MAX);
	buf_init(&call->out, IN_MAX);
	call->wakeup = -1;
	call->upstream = u;
	lock(call);
	err = begin(call, post);
	unlock(call);
	if (err != ERR_NONE)
		upstream_end(call);
	else
		*out = call;
	return err;
}

static void
give_back(struct upstream_call *call)
{
	struct upstream *u = call->upstream;

	if (call->added)
		(void)lib.multi_remove_handle(u->multi, call->easy);
	return_wakeup(u, call->wakeup);
	if (call->easy == NULL)
		return;
	lib.easy_reset(call->easy); /* forgets keys and pointers */
	if (u->spare == NULL)
		u->spare = call->easy;
	else
		lib.easy_cleanup(call->easy);
}

void
upstream_end(struct upstream_call *call)
{
	if (call == NULL)
		return;
	lock(call);
	give_back(call);
	unlock(call);
	lib.slist_free_all(call->headers);
	buf_release(&call->in);
	buf_release(&call->out);
	free(call);
}

static enum upstream_state
state_of(const struct upstream_call *call, CURLcode code)
{
	switch (code) {
	case CURLE_OK:
		return UPSTREAM_COMPLETE;
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
	case CURLE_COULDNT_CONNECT:
	case CURLE_OPERATION_TIMEDOUT: /* only connecting has one */
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_PROXY:
		return UPSTREAM_UNREACHABLE;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_ISSUER_ERROR:
		return UPSTREAM_UNTRUSTED;
	case CURLE_OUT_OF_MEMORY:
		return UPSTREAM_FAILED;
	case CURLE_WRITE_ERROR:
		return buf_err(&call->in) == ERR_NONE ? UPSTREAM_CUT
						      : UPSTREAM_FAILED;
	default:
		return UPSTREAM_CUT;
	}
}

static void
collect(struct upstream *u)
{
	struct upstream_call *call;
	CURLMsg *message;
	int left;

	while ((message = lib.multi_info_read(u->multi, &left)) != NULL) {
		if (message->msg != CURLMSG_DONE)
			continue;
		call = NULL;
		(void)lib.easy_getinfo(
		    message->easy_handle, CURLINFO_PRIVATE, (char **)&call);
		if (call == NULL)
			continue;
		if (call->reason[0] == '\0')
			(void)snprintf(call->reason, sizeof(call->reason),
			    "%s", lib.easy_strerror(message->data.result));
		call->state = state_of(call, message->data.result);
		ring(call);
	}
}

void
upstream_step(struct upstream_call *call, int64_t now_ms,
    const struct interests *ready)
{
	struct upstream *u = call->upstream;
	int running, bits;
	size_t i;

	lock(call);
	u->stepping = call;
	for (i = 0; ready != NULL && i < ready->n; i++) {
		if (ready->fds[i].revents == 0)
			continue;
		if (ready->fds[i].fd == call->wakeup) {
			drain_wakeup(call->wakeup);
			continue;
		}
		bits = 0;
		if (ready->fds[i].revents & POLLIN)
			bits |= CURL_CSELECT_IN;
		if (ready->fds[i].revents & POLLOUT)
			bits |= CURL_CSELECT_OUT;
		if (ready->fds[i].revents & (POLLERR | POLLHUP | POLLNVAL))
			bits |= CURL_CSELECT_ERR | CURL_CSELECT_IN;
		/* A descriptor that is none of libcurl's is no harm. */
		(void)lib.multi_socket_action(
		    u->multi, ready->fds[i].fd, bits, &running);
	}
	if (u->wake_ms <= now_ms) {
		u->wake_ms = INTERESTS_NEVER;
		(void)lib.multi_socket_action(
		    u->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	}
	collect(u);
	u->stepping = NULL;
	unlock(call);
}

void
upstream_interests(const struct upstream_call *call, struct interests *in)
{
	size_t i;

	lock(call);
	for (i = 0; i < call->n_fds; i++)
		interests_fd(in, call->fds[i].fd, call->fds[i].events);
	interests_fd(in, call->wakeup, POLLIN);
	/* Another worker may have done this one's work meanwhile. */
	interests_wake(in,
	    call->state != UPSTREAM_RUNNING || call->in.len > 0
		? 0
		: call->upstream->wake_ms);
	unlock(call);
}

enum upstream_state
upstream_state(const struct upstream_call *call)
{
	enum upstream_state state = call->state;

	/* What arrived before the end comes before the end. */
	return call->waiting > 0 ? UPSTREAM_RUNNING : state;
}

int
upstream_status(const struct upstream_call *call)
{
	long status = 0;

	lock(call);
	(void)lib.easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
	unlock(call);
	return (int)status;
}

const char *
upstream_content_type(const struct upstream_call *call)
{
	char *type = NULL;

	lock(call);
	(void)lib.easy_getinfo(call->easy, CURLINFO_CONTENT_TYPE, &type);
	unlock(call);
	return type != NULL ? type : "";
}

const char *
upstream_redirect(const struct upstream_call *call)
{
	char *url = NULL;

	lock(call);
	(void)lib.easy_getinfo(call->easy, CURLINFO_REDIRECT_URL, &url);
	unlock(call);
	return url != NULL ? url : "";
}

int64_t
upstream_retry_after_s(const struct upstream_call *call)
{
	curl_off_t seconds = 0;

	lock(call);
	(void)lib.easy_getinfo(call->easy, CURLINFO_RETRY_AFTER, &seconds);
	unlock(call);
	return seconds;
}

const char *
upstream_reason(const struct upstream_call *call)
{
	return call->reason;
}

struct span
upstream_data(struct upstream_call *call)
{
	struct buf taken;

	if (call->taken == call->out.len && call->waiting > 0) {
		buf_reset(&call->out);
		call->taken = 0;
		lock(call);
		taken = call->out;
		call->out = call->in;
		call->in = taken;
		call->waiting = 0;
		if (call->paused && call->state == UPSTREAM_RUNNING) {
			call->paused = false;
			(void)lib.easy_pause(call->easy, CURLPAUSE_CONT);
		}
		unlock(call);
	}
	return (struct span){
	    buf_text(&call->out) + call->taken, call->out.len - call->taken};
}

void
upstream_take(struct upstream_call *call, size_t n)
{
	call->taken += n;
}

int64_t
upstream_received(const struct upstream_call *call)
{
	return call->received;
}
