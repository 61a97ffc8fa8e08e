/* Checks (checks.h) of parlance.conf and of the files that it names. */
#ifndef PARLANCE_DOCTOR_FILES_H
#define PARLANCE_DOCTOR_FILES_H

struct examination;

/* Who may read and write the configuration. */
void check_configuration(struct examination *e);
/* Is there a key; has each a hash of its own? */
void check_keys(struct examination *e);
void check_knowledge_folders(struct examination *e);
/* Recordings, certificates. */
void check_engine_files(struct examination *e);
/* Can both programs load it?  Only when an engine goes upstream. */
void check_libcurl(struct examination *e);

#endif
