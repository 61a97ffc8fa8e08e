/* The floor that a CGI program is measured against: links libc alone, reads
 * the body, answers one line of JSON.  With FLOOR_KEEPS=FILE it first keeps
 * a page in that file, as safe from a power cut as a durable answer is. */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

int
main(void)
{
	static const char answer[] =
	    "Status: 200 OK\r\nContent-Type: application/json\r\n"
	    "Content-Length: 15\r\n\r\n{\"status\":\"ok\"}";
	const char *length = getenv("CONTENT_LENGTH");
	char body[4096];
	long left = length == NULL ? 0 : strtol(length, NULL, 10);
	ssize_t n;

	while (left > 0 && (n = read(0, body, sizeof(body))) > 0)
		left -= n;
	if (getenv("FLOOR_KEEPS") != NULL) {
		int fd = open(getenv("FLOOR_KEEPS"), O_WRONLY | O_CREAT, 0600);

		if (write(fd, body, sizeof(body)) < 0 || fdatasync(fd) != 0)
			return 1;
	}
	return write(1, answer, sizeof(answer) - 1) < 0;
}
