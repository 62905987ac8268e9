#include "spec/upload.h"

#include "base/string.h"

#define LARGEST_REASONABLE ((int64_t)1 << 42)
#define FIRST_SMALLER ((int64_t)64 << 20)
#define SMALLEST ((int64_t)256 << 10)

static bool take_number(const char **s, int64_t *ret)
{
	int64_t n = 0;

	if (**s < '0' || **s > '9')
		return false;
	for (; **s >= '0' && **s <= '9'; ++*s) {
		if (n > LARGEST_REASONABLE)
			return false;
		n = n * 10 + (**s - '0');
	}
	*ret = n;
	return true;
}

int64_t upload_received(const char *range, int64_t size)
{
	const char *s = str_after(range, "bytes=");
	int64_t first, last;

	s = s ? s : range;
	if (!take_number(&s, &first) || *s++ != '-' || !take_number(&s, &last) || *s || first != 0)
		return -1;
	if (last == 0)
		return 0;
	return last < size ? last + 1 : -1;
}

int64_t upload_piece(const struct upload_pieces *p, int64_t have, int64_t size)
{
	int64_t left = size - have;

	return p->most > 0 && left > p->most ? p->most : left;
}

bool upload_make_smaller(struct upload_pieces *p, int64_t refused)
{
	int64_t most = refused > 2 * FIRST_SMALLER ? FIRST_SMALLER : refused / 2;

	if (most < SMALLEST || most < p->least)
		return false;
	p->most = most;
	return true;
}

void upload_lost(struct upload_pieces *p, int64_t piece)
{
	if (piece > FIRST_SMALLER && p->least <= FIRST_SMALLER)
		p->most = FIRST_SMALLER;
}

void upload_take_least(struct upload_pieces *p, const char *header)
{
	int64_t n;

	if (!header || !take_number(&header, &n) || *header || n > LARGEST_REASONABLE)
		return;
	p->least = n;
	if (p->most > 0 && p->most < n)
		p->most = n;
}
