/*
 * Who checks the checker: every sample must satisfy its expectation, and
 * every way of breaking the sample must be refused.
 */
#ifndef CHATCONF_SELFTEST_H
#define CHATCONF_SELFTEST_H

#include "breaking.h"

/* Tests one case in the words of a profile; faults go to standard error. */
void selftest_case(const struct profile *profile, const struct vars *vars,
    const struct testcase *test, struct selftest_score *score);

#endif
