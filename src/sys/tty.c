#include "sys/tty.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <unistd.h>

bool tty_is(int fd)
{
	return fd >= 0 && isatty(fd);
}

int tty_get_size(int fd, struct tty_size *ret)
{
	struct winsize ws;

	if (ioctl(fd, TIOCGWINSZ, &ws) < 0)
		return -1;
	*ret = (struct tty_size){ .rows = ws.ws_row, .columns = ws.ws_col };
	return 0;
}

int tty_set_size(int fd, struct tty_size size)
{
	struct winsize ws = { .ws_row = size.rows, .ws_col = size.columns };

	return ioctl(fd, TIOCSWINSZ, &ws);
}

int tty_raw(int fd, struct termios *ret_old)
{
	struct termios raw;

	if (tcgetattr(fd, ret_old) < 0)
		return -1;
	raw = *ret_old;
	cfmakeraw(&raw);
	return tcsetattr(fd, TCSANOW, &raw);
}

int tty_restore(int fd, const struct termios *old)
{
	int r;

	/* At once: a terminal whose output is stopped would never drain. A process in the background is stopped by SIGTTOU
	 * here: the caller blocks it when that can happen. */
	do
		r = tcsetattr(fd, TCSANOW, old);
	while (r < 0 && errno == EINTR);
	return r;
}

int tty_keep_newlines(int fd)
{
	struct termios mode;

	if (tcgetattr(fd, &mode) < 0)
		return -1;
	mode.c_oflag &= ~(tcflag_t)ONLCR;
	return tcsetattr(fd, TCSANOW, &mode);
}
