/*
 * The floor for streams: the smallest libfcgi and libcurl program that sends
 * the request's body upstream and copies the reply's bytes through, each
 * piece flushed.  WORKERS threads as in libfcgi's own example, one curl
 * handle each.  It serves the socket given as fd 0.  `relay WORKERS URL`.
 */
#include <curl/curl.h>
#include <fcgiapp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const char *url;

static size_t
copy(char *data, size_t size, size_t n, void *context)
{
	FCGX_Request *r = context;

	FCGX_PutStr(data, (int)(size * n), r->out);
	FCGX_FFlush(r->out);
	return FCGX_GetError(r->out) == 0 ? size * n : 0;
}

static void
serve(FCGX_Request *r, CURL *curl)
{
	char body[8192];
	int n = FCGX_GetStr(body, sizeof(body), r->in);

	FCGX_PutS("Status: 200 OK\r\nContent-Type: text/event-stream\r\n\r\n",
	    r->out);
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)n);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, copy);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, r);
	curl_easy_perform(curl);
}

static void *
work(void *arg)
{
	CURL *curl = curl_easy_init();
	FCGX_Request request;

	(void)arg;
	FCGX_InitRequest(&request, 0, 0);
	for (;;) {
		pthread_mutex_lock(&lock);
		int rc = FCGX_Accept_r(&request);
		pthread_mutex_unlock(&lock);
		if (rc < 0)
			return NULL;
		serve(&request, curl);
		FCGX_Finish_r(&request);
	}
}

int
main(int argc, char **argv)
{
	int workers = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 8, i;
	pthread_attr_t attr;
	pthread_t thread;

	url = argc > 2 ? argv[2] : "http://127.0.0.1:8000/v1/chat/completions";
	curl_global_init(CURL_GLOBAL_DEFAULT);
	FCGX_Init();
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 128 * 1024);
	for (i = 1; i < workers; i++)
		pthread_create(&thread, &attr, work, NULL);
	work(NULL);
	return 0;
}
