/* Reports for machines: TAP 14, JUnit, JSON, and the kept exchanges. */
#ifndef CHATCONF_MACHINE_H
#define CHATCONF_MACHINE_H

#include "outcome.h"

struct span report_tap(struct arena *a, const struct run *run);
struct span report_json(struct arena *a, const struct run *run,
    double seconds);
struct span report_junit(struct arena *a, const struct run *run,
    double seconds);
/* Writes the exchange of a failure to DIR/NAME.txt. */
bool report_save(const struct run *run, const struct result *result,
    const char *folder);

#endif
