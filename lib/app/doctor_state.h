/* Checks (checks.h) of the state folder.  Nothing is left behind there. */
#ifndef PARLANCE_DOCTOR_STATE_H
#define PARLANCE_DOCTOR_STATE_H

struct examination;

/* Is it there, can this user write it? */
void check_state(struct examination *e);
/* May others enter it, is it part of the web site? */
void check_privacy(struct examination *e);
/* Can a database live on its file system, and is there room? */
void check_file_system(struct examination *e);
/* Is parlance.db a whole database that can be written, and does nobody hold
 * its lock?  SQLite does not open it, which would make files beside it. */
void check_database(struct examination *e);
/* Do all files of it belong to its owner? */
void check_owners(struct examination *e);
/* May others read the deployment's secret? */
void check_secret(struct examination *e);

#endif
