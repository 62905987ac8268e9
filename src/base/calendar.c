#include "base/calendar.h"

#define DAY 86400
#define ERA 146097		/* days of 400 years */

/* Days are counted from 0000-03-01 on, so that a leap day is the last of its year. */
static void set_date(struct calendar_time *t, int64_t days)
{
	int64_t shifted = days + 719468;
	int64_t era = (shifted >= 0 ? shifted : shifted - (ERA - 1)) / ERA;
	int64_t of_era = shifted - era * ERA;
	int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
	int64_t month = (5 * of_year + 2) / 153;		/* 0 is March */

	t->day = (int)(of_year - (153 * month + 2) / 5 + 1);
	t->month = (int)(month < 10 ? month + 3 : month - 9);
	t->year = (int)(year + era * 400 + (t->month <= 2));
}

struct calendar_time calendar_utc(int64_t seconds)
{
	int64_t days = seconds / DAY - (seconds % DAY < 0);
	int of_day = (int)(seconds - days * DAY);
	struct calendar_time t = { .hour = of_day / 3600, .minute = of_day / 60 % 60, .second = of_day % 60 };

	set_date(&t, days);
	return t;
}
