/* The check (checks.h) of the deployment as its web server shows it. */
#ifndef PARLANCE_DOCTOR_URL_H
#define PARLANCE_DOCTOR_URL_H

struct examination;

/* Asks the web server at e->url by a probe (probe.h); NULL: nothing is
 * done. */
void check_url(struct examination *e);

#endif
