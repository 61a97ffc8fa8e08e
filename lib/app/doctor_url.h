/* The second half of doctor: the deployment as its web server shows it. */
#ifndef PARLANCE_DOCTOR_URL_H
#define PARLANCE_DOCTOR_URL_H

struct config;

enum finding { FINDING_OK, FINDING_NOTE, FINDING_WRONG };

struct examination {
	const struct config *config;
	int wrong; /* findings of that kind */
};

/* Prints a finding and what fixes it (NULL: nothing to do). */
void finding(struct examination *e, enum finding kind, const char *subject,
    const char *fix, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

#define FIX_MAX 4352

/* "COMMAND PATH", as a shell takes it. */
const char *fix_path(char fix[FIX_MAX], const char *command,
    const char *path);

/* Asks the web server at url (by a probe, probe.h), and prints findings. */
void doctor_url(struct examination *e, const char *url);

#endif
