/* `parlance ask BOT QUESTION`: the turn of a client, on a terminal. */
#ifndef PARLANCE_ASK_H
#define PARLANCE_ASK_H

/* The command with the words behind its name; its exit status: 0 when the
 * answer is whole, 1 when it failed or nothing could be asked, 2 for wrong
 * usage. */
int ask_main(int argc, char **argv);

#endif
