/* Drives one answer to its end with poll(2): the gateways' driver. */
#ifndef PARLANCE_DRIVE_H
#define PARLANCE_DRIVE_H

#include "http/answer.h"
#include "http/gateway.h"

/* Steps the answer until it is done; tells it when the client leaves. */
void drive_answer(struct answer *a, struct gateway *g);

#endif
