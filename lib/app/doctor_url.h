/* The second half of doctor: the deployment as its web server shows it. */
#ifndef PARLANCE_DOCTOR_URL_H
#define PARLANCE_DOCTOR_URL_H

struct config;

enum finding { FINDING_OK, FINDING_NOTE, FINDING_WRONG };

struct examination {
	const struct config *config;
	int wrong; /* findings of that kind */
};

/* Prints a finding and what mends it (NULL: nothing to do). */
void finding(struct examination *e, enum finding kind, const char *subject,
    const char *mend, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

#define MEND_MOST 4352

/* "COMMAND PATH", as a shell takes it. */
const char *mend_path(char mend[MEND_MOST], const char *command,
    const char *path);

/* Asks the web server at url (by a probe, probe.h), and prints findings. */
void doctor_url(struct examination *e, const char *url);

#endif
