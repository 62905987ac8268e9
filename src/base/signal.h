/* base/signal - signals by name */
#ifndef BRYO_BASE_SIGNAL_H
#define BRYO_BASE_SIGNAL_H

/* "TERM", "SIGTERM", "15", "SIGRTMIN+3"; -1 for anything else. */
int signal_parse(const char *text);

#endif
