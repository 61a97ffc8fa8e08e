/* The admin command: what parlance.cgi is when a shell runs it. */
#ifndef PARLANCE_ADMIN_H
#define PARLANCE_ADMIN_H

/* Runs `parlance COMMAND ...`; returns the exit status: 0, 1 when something
 * is wrong with the deployment, 2 for wrong usage. */
int admin_main(int argc, char **argv);

#endif
