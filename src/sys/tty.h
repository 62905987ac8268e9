/* sys/tty - terminals: raw mode of ours, pseudo-terminals for containers */
#ifndef BRYO_SYS_TTY_H
#define BRYO_SYS_TTY_H

#include <stdbool.h>
#include <termios.h>

#include "base/error.h"

struct tty_size { unsigned short rows, columns; };

bool tty_is(int fd);
int tty_get_size(int fd, struct tty_size *ret);
int tty_set_size(int fd, struct tty_size size);
/* Raw mode for the user's own terminal; *ret_old restores it. */
int tty_raw(int fd, struct termios *ret_old);
int tty_restore(int fd, const struct termios *old);
/* A pseudo-terminal whose output gets no carriage returns. */
int tty_keep_newlines(int fd);

#endif
