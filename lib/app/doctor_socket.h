/* The check (checks.h) of the FastCGI socket. */
#ifndef PARLANCE_DOCTOR_SOCKET_H
#define PARLANCE_DOCTOR_SOCKET_H

struct examination;

/* Finds the sockets that parlance.fcgi, systemd and the web servers name, and
 * reports: is it there, does somebody listen, may the web server
 * connect and nobody else; and may parlance.fcgi use the state folder. */
void check_socket(struct examination *e);

#endif
