/* What check and doctor find out about engines upstream: check by reading
 * their addresses, doctor by asking each a question. */
#ifndef PARLANCE_DOCTOR_ENGINE_H
#define PARLANCE_DOCTOR_ENGINE_H

struct examination;

/* Common mistakes in url, path and key; asks nobody. */
void check_engine_addresses(struct examination *e);
/* Asks each engine upstream that a bot or a knowledge names.  A bot whose
 * engines all fail is a problem, a failing fall-back a note. */
void check_engine_answers(struct examination *e);

#endif
