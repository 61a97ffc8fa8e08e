/* The floor that the FastCGI responder is measured against: an empty libfcgi
 * program, WORKERS threads as in libfcgi's own example, that reads the body
 * and answers one line of JSON, or BYTES bytes.  It serves the socket given as
 * fd 0.  floor WORKERS [BYTES] */
#include <fcgiapp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char answer[1 << 20];
static int answer_len;

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
		FCGX_PutStr(answer, answer_len, request.out);
		FCGX_Finish_r(&request);
	}
}

int
main(int argc, char **argv)
{
	int workers = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 8, i;
	int bytes = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 15;
	pthread_t thread;

	answer_len = sprintf(answer, "Status: 200 OK\r\n"
	    "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n"
	    "{\"status\":\"ok\"}", bytes) + bytes - 15;
	if (bytes > 15)
		memset(answer + answer_len - (bytes - 15), ' ',
		    (size_t)bytes - 15);

	FCGX_Init();
	for (i = 1; i < workers; i++)
		pthread_create(&thread, NULL, work, NULL);
	work(NULL);
	return 0;
}
