/* The part of base/units that knows the calendar. */
#include "base/units.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/calendar.h"
#include "base/string.h"

#define NS_SECOND INT64_C(1000000000)

int64_t units_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * NS_SECOND + now.tv_nsec;
}

/* Seconds rounded down, so that the rest is never negative. */
static time_t whole_seconds(int64_t ns, long *ret_rest)
{
	int64_t seconds = ns / NS_SECOND, rest = ns % NS_SECOND;

	*ret_rest = (long)(rest < 0 ? rest + NS_SECOND : rest);
	return (time_t)(rest < 0 ? seconds - 1 : seconds);
}

char *units_format_time(struct arena *arena, int64_t ns)
{
	struct calendar_time t;
	long rest;

	t = calendar_utc(whole_seconds(ns, &rest));
	return arena_printf(arena, "%04d-%02d-%02dT%02d:%02d:%02d.%09ldZ", t.year, t.month, t.day, t.hour, t.minute, t.second,
			    rest);
}

char *units_format_time_local(struct arena *arena, int64_t ns)
{
	static bool zone_is_known;
	char fraction[16] = "";
	struct tm tm;
	long rest, east;
	time_t seconds = whole_seconds(ns, &rest);

	if (!zone_is_known)
		tzset();
	zone_is_known = true;
	localtime_r(&seconds, &tm);
	east = tm.tm_gmtoff / 60;
	if (rest) {
		size_t n = (size_t)snprintf(fraction, sizeof(fraction), ".%09ld", rest);

		while (fraction[n - 1] == '0')
			fraction[--n] = '\0';
	}
	/* strftime would look after /etc/localtime each time. */
	return arena_printf(arena, "%04d-%02d-%02d %02d:%02d:%02d%s %c%02ld%02ld %s", tm.tm_year + 1900, tm.tm_mon + 1,
			    tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, fraction, east < 0 ? '-' : '+', labs(east) / 60,
			    labs(east) % 60, tm.tm_zone);
}

/* Exactly n digits within bounds. */
static bool take_number(const char **s, int n, int low, int high, int *ret)
{
	int value = 0;

	for (int i = 0; i < n; i++, ++*s) {
		if (!isdigit((unsigned char)**s))
			return false;
		value = value * 10 + (**s - '0');
	}
	*ret = value;
	return low <= value && value <= high;
}

static bool take(const char **s, char c)
{
	if (**s != c)
		return false;
	++*s;
	return true;
}

/* Digits after a point, as nanoseconds; what is finer is dropped. */
static bool take_fraction(const char **s, long *ret)
{
	long ns = 0, place = NS_SECOND / 10;

	if (!isdigit((unsigned char)**s))
		return false;
	for (; isdigit((unsigned char)**s); ++*s, place /= 10)
		ns += (**s - '0') * place;
	*ret = ns;
	return true;
}

static bool take_clock(const char **s, struct tm *tm, long *ret_ns)
{
	if (!take_number(s, 2, 0, 23, &tm->tm_hour) || !take(s, ':') || !take_number(s, 2, 0, 59, &tm->tm_min))
		return false;
	if (!take(s, ':'))
		return true;
	if (!take_number(s, 2, 0, 60, &tm->tm_sec))
		return false;
	return !take(s, '.') || take_fraction(s, ret_ns);
}

/* "Z", "+02:00", "+0200", each with an optional name behind (" UTC", as Go prints). Without one: the local zone. */
static bool take_zone(const char *s, bool *ret_known, long *ret_offset)
{
	int hours, minutes, sign;

	if (*s == ' ' && (s[1] == '+' || s[1] == '-'))
		s++;
	*ret_known = *s != '\0';
	if (!*s || strcmp(s, "Z") == 0 || strcmp(s, "z") == 0)
		return true;
	sign = *s == '-' ? -1 : 1;
	if (!take(&s, '+') && !take(&s, '-'))
		return false;
	if (!take_number(&s, 2, 0, 23, &hours))
		return false;
	take(&s, ':');
	if (!take_number(&s, 2, 0, 59, &minutes))
		return false;
	*ret_offset = sign * (hours * 3600L + minutes * 60L);
	if (take(&s, ' '))
		s += strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-");
	return *s == '\0';
}

static int days_in(int month, int year)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return days[month - 1] + (month == 2 && ((year % 4 == 0 && year % 100 != 0) || year % 400 == 0));
}

static int parse_calendar(const char *s, int64_t *ret_ns)
{
	struct tm tm = { .tm_isdst = -1 };
	long rest = 0, offset = 0;
	bool zone_known = false;
	int year, month;
	__int128 ns;

	if (!take_number(&s, 4, 0, 9999, &year) || !take(&s, '-') || !take_number(&s, 2, 1, 12, &month) || !take(&s, '-') ||
	    !take_number(&s, 2, 1, days_in(month, year), &tm.tm_mday))
		return -1;
	tm.tm_year = year - 1900;
	tm.tm_mon = month - 1;
	if (*s && *s != 'T' && *s != 't' && *s != ' ')
		return -1;
	if (*s && (s++, !take_clock(&s, &tm, &rest)))
		return -1;
	if (!take_zone(s, &zone_known, &offset))
		return -1;
	ns = zone_known ? timegm(&tm) - offset : mktime(&tm);
	ns = ns * NS_SECOND + rest;
	if (ns != (int64_t)ns)
		return -1;
	*ret_ns = (int64_t)ns;
	return 0;
}

static int parse_unix(const char *s, int64_t *ret_ns)
{
	int64_t seconds = 0;
	long rest = 0;

	for (; isdigit((unsigned char)*s); s++)
		if (__builtin_mul_overflow(seconds, 10, &seconds) || __builtin_add_overflow(seconds, *s - '0', &seconds))
			return -1;
	if (take(&s, '.') && !take_fraction(&s, &rest))
		return -1;
	if (*s || __builtin_mul_overflow(seconds, NS_SECOND, &seconds) || __builtin_add_overflow(seconds, rest, &seconds))
		return -1;
	*ret_ns = seconds;
	return 0;
}

int units_parse_time(const char *s, int64_t now_ns, int64_t *ret_ns)
{
	int64_t ago;

	if (isdigit((unsigned char)*s) && (parse_calendar(s, ret_ns) == 0 || parse_unix(s, ret_ns) == 0))
		return 0;
	if (units_parse_duration(s, &ago) < 0)
		return -1;
	return __builtin_sub_overflow(now_ns, ago, ret_ns) ? -1 : 0;
}
