/* The check (checks.h) of the sites' chat pages as their visitors get them. */
#ifndef PARLANCE_DOCTOR_SITES_H
#define PARLANCE_DOCTOR_SITES_H

struct examination;

/* Asks for each site's page at e->url, else at public_url. */
void check_sites(struct examination *e);

#endif
