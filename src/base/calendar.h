/* base/calendar - dates of the Gregorian calendar by arithmetic
 *
 * The C library's gmtime_r and strftime read the zone files of the host first, each time a program starts, and keep them
 * in its memory. UTC needs none. */
#ifndef BRYO_BASE_CALENDAR_H
#define BRYO_BASE_CALENDAR_H

#include <stdint.h>

struct calendar_time {
	int year, month, day, hour, minute, second;	/* month and day from 1 */
};

/* Of seconds since 1970, in UTC; before the calendar was made too. */
struct calendar_time calendar_utc(int64_t seconds);

#endif
