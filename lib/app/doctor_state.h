/* The part of doctor that examines the state folder. */
#ifndef PARLANCE_DOCTOR_STATE_H
#define PARLANCE_DOCTOR_STATE_H

struct examination;

/* Is it there, this user's alone, on a file system that a database can live
 * on, with room, and is the database in it sound at first sight?  Nothing is
 * left behind. */
void doctor_state(struct examination *e);

#endif
