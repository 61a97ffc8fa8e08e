/* The floor that the FastCGI responder is measured against: an empty libfcgi
 * program, WORKERS threads as in libfcgi's own example, that reads the body
 * and answers one line of JSON.  It serves the socket given as fd 0. */
#include <fcgiapp.h>
#include <pthread.h>
#include <stdlib.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *
work(void *arg)
{
	FCGX_Request request;
	char body[4096];

	(void)arg;
	FCGX_InitRequest(&request, 0, 0);
	for (;;) {
		pthread_mutex_lock(&lock);
		int rc = FCGX_Accept_r(&request);
		pthread_mutex_unlock(&lock);
		if (rc < 0)
			return NULL;
		while (FCGX_GetStr(body, sizeof(body), request.in) > 0)
			;
		FCGX_PutS("Status: 200 OK\r\n"
			  "Content-Type: application/json\r\n"
			  "Content-Length: 15\r\n\r\n{\"status\":\"ok\"}",
		    request.out);
		FCGX_Finish_r(&request);
	}
}

int
main(int argc, char **argv)
{
	int workers = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 8, i;
	pthread_t thread;

	FCGX_Init();
	for (i = 1; i < workers; i++)
		pthread_create(&thread, NULL, work, NULL);
	work(NULL);
	return 0;
}
