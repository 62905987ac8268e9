#include "base/units.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/string.h"

#define NS_MICRO INT64_C(1000)
#define NS_MILLI INT64_C(1000000)
#define NS_SECOND INT64_C(1000000000)
#define NS_MINUTE (60 * NS_SECOND)
#define NS_HOUR (60 * NS_MINUTE)

int units_parse_size(const char *s, uint64_t *ret_bytes)
{
	static const char letters[] = "kmgtpe";
	const char *digits = s, *letter;
	uint64_t whole = 0, factor = 1;
	double fraction = 0;

	if (!isdigit((unsigned char)*s))
		return -1;
	for (; isdigit((unsigned char)*s); s++)
		if (__builtin_mul_overflow(whole, 10, &whole) || __builtin_add_overflow(whole, *s - '0', &whole))
			return -1;
	if (*s == '.') {
		double place = 0.1;

		if (!isdigit((unsigned char)s[1]))
			return -1;
		for (s++; isdigit((unsigned char)*s); s++, place /= 10)
			fraction += (*s - '0') * place;
	}
	if (s != digits && *s == ' ')
		s++;
	letter = *s ? strchr(letters, tolower((unsigned char)*s)) : NULL;
	if (letter) {
		factor = UINT64_C(1) << (10 * (letter - letters + 1));
		s++;
		if (*s == 'i' || *s == 'I')
			s++;
	}
	if (*s == 'b' || *s == 'B')
		s++;
	if (*s || __builtin_mul_overflow(whole, factor, &whole) ||
	    __builtin_add_overflow(whole, (uint64_t)(fraction * (double)factor), &whole))
		return -1;
	*ret_bytes = whole;
	return 0;
}

/* Three or four significant digits without trailing zeros; a number that rounding makes as large as the base moves to
 * the next unit. */
static char *format_size(struct arena *arena, uint64_t bytes, double base, int digits, const char *gap,
			 const char *const *names)
{
	double size = (double)bytes;
	char number[32];

	for (;; names++) {
		snprintf(number, sizeof(number), "%.*g", digits, size);
		if (!names[1] || (size < base && strtod(number, NULL) < base))
			break;
		size /= base;
	}
	return arena_printf(arena, "%s%s%s", number, gap, *names);
}

static const char *const decimal_names[] = { "B", "kB", "MB", "GB", "TB", "PB", "EB", NULL };

char *units_format_size(struct arena *arena, uint64_t bytes)
{
	return format_size(arena, bytes, 1000, 3, " ", decimal_names);
}

char *units_format_size_tight(struct arena *arena, uint64_t bytes)
{
	return format_size(arena, bytes, 1000, 4, "", decimal_names);
}

char *units_format_size_binary(struct arena *arena, uint64_t bytes)
{
	static const char *const names[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB", NULL };

	return format_size(arena, bytes, 1024, 4, "", names);
}

static const struct { const char *name; int64_t ns; } duration_units[] = {
	{ "ns", 1 },	      { "us", NS_MICRO },   { "\xc2\xb5s", NS_MICRO }, { "\xce\xbcs", NS_MICRO },
	{ "ms", NS_MILLI },   { "s", NS_SECOND },   { "m", NS_MINUTE },	       { "h", NS_HOUR },
};

static int64_t duration_unit(const char **s)
{
	size_t n = strcspn(*s, ".0123456789");

	for (size_t i = 0; i < ELEMENTS(duration_units); i++)
		if (strlen(duration_units[i].name) == n && strncmp(*s, duration_units[i].name, n) == 0) {
			*s += n;
			return duration_units[i].ns;
		}
	return 0;
}

/* One number with its unit. */
static int parse_duration_part(const char **s, int64_t *total)
{
	int64_t whole = 0, fraction = 0, scale = 1, unit, ns;
	const char *start = *s;

	for (; isdigit((unsigned char)**s); ++*s)
		if (__builtin_mul_overflow(whole, 10, &whole) || __builtin_add_overflow(whole, **s - '0', &whole))
			return -1;
	if (**s == '.') {
		for (++*s; isdigit((unsigned char)**s); ++*s)
			if (scale < NS_SECOND * NS_MILLI) {
				fraction = fraction * 10 + (**s - '0');
				scale *= 10;
			}
		if (*s - start == 1)
			return -1;
	}
	if (*s == start)
		return -1;
	unit = duration_unit(s);
	if (!unit || __builtin_mul_overflow(whole, unit, &ns) ||
	    __builtin_add_overflow(ns, (int64_t)((__int128)fraction * unit / scale), &ns) ||
	    __builtin_add_overflow(*total, ns, total))
		return -1;
	return 0;
}

int units_parse_duration(const char *s, int64_t *ret_ns)
{
	bool negative = *s == '-';
	int64_t total = 0;

	if (*s == '-' || *s == '+')
		s++;
	if (strcmp(s, "0") == 0) {	/* the one bare number that Go takes */
		*ret_ns = 0;
		return 0;
	}
	if (!*s)
		return -1;
	while (*s)
		if (parse_duration_part(&s, &total) < 0)
			return -1;
	*ret_ns = negative ? -total : total;
	return 0;
}

/* ".5" for 500 of 1000, "" for nothing. */
static const char *fraction_text(char text[16], uint64_t part, uint64_t whole)
{
	int digits = 0;
	size_t n;

	if (!part)
		return "";
	for (; whole > 1; whole /= 10)
		digits++;
	n = (size_t)snprintf(text, 16, ".%0*llu", digits, (unsigned long long)part);
	while (text[n - 1] == '0')
		text[--n] = '\0';
	return text;
}

char *units_format_duration(struct arena *arena, int64_t ns)
{
	uint64_t n = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;
	const char *sign = ns < 0 ? "-" : "";
	char text[16];

	if (n == 0)
		return arena_strdup(arena, "0s");
	if (n < NS_SECOND) {
		uint64_t unit = n < NS_MICRO ? 1 : n < NS_MILLI ? NS_MICRO : NS_MILLI;
		const char *name = unit == 1 ? "n" : unit == NS_MICRO ? "\xc2\xb5" : "m";

		return arena_printf(arena, "%s%llu%s%ss", sign, (unsigned long long)(n / unit),
				    fraction_text(text, n % unit, unit), name);
	}
	if (n < NS_MINUTE)
		return arena_printf(arena, "%s%llu%ss", sign, (unsigned long long)(n / NS_SECOND),
				    fraction_text(text, n % NS_SECOND, NS_SECOND));
	if (n < NS_HOUR)
		return arena_printf(arena, "%s%llum%llu%ss", sign, (unsigned long long)(n / NS_MINUTE),
				    (unsigned long long)(n % NS_MINUTE / NS_SECOND),
				    fraction_text(text, n % NS_SECOND, NS_SECOND));
	return arena_printf(arena, "%s%lluh%llum%llu%ss", sign, (unsigned long long)(n / NS_HOUR),
			    (unsigned long long)(n % NS_HOUR / NS_MINUTE), (unsigned long long)(n % NS_MINUTE / NS_SECOND),
			    fraction_text(text, n % NS_SECOND, NS_SECOND));
}

char *units_human_duration(struct arena *arena, int64_t ns)
{
	int64_t seconds = ns / NS_SECOND, minutes = ns / NS_MINUTE, hours = ns / NS_HOUR + (ns % NS_HOUR >= NS_HOUR / 2);

	if (seconds < 1)
		return arena_strdup(arena, "Less than a second");
	if (seconds == 1)
		return arena_strdup(arena, "1 second");
	if (seconds < 60)
		return arena_printf(arena, "%d seconds", (int)seconds);
	if (minutes == 1)
		return arena_strdup(arena, "About a minute");
	if (minutes < 60)
		return arena_printf(arena, "%d minutes", (int)minutes);
	if (hours == 1)
		return arena_strdup(arena, "About an hour");
	if (hours < 48)
		return arena_printf(arena, "%d hours", (int)hours);
	if (hours < 24 * 7 * 2)
		return arena_printf(arena, "%d days", (int)(hours / 24));
	if (hours < 24 * 30 * 2)
		return arena_printf(arena, "%d weeks", (int)(hours / 24 / 7));
	if (hours < 24 * 365 * 2)
		return arena_printf(arena, "%d months", (int)(hours / 24 / 30));
	return arena_printf(arena, "%d years", (int)(ns / NS_HOUR / 24 / 365));
}
