/* base/units - sizes, durations and times as people and Go write them */
#ifndef BRYO_BASE_UNITS_H
#define BRYO_BASE_UNITS_H

#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"

/* "64m", "1.5GiB", "512b", "1024": bytes, powers of 1024, as docker's flags. -1 on nonsense or overflow. */
int units_parse_size(const char *s, uint64_t *ret_bytes);
/* "5.32 MB" (powers of 1000, as `images` prints) and "5.32MiB" (powers of 1024). */
char *units_format_size(struct arena *arena, uint64_t bytes);
/* "5.324MB", as docker prints what takes part in a table of sizes. */
char *units_format_size_tight(struct arena *arena, uint64_t bytes);
char *units_format_size_binary(struct arena *arena, uint64_t bytes);

/* Go durations: "1h2m3.5s", "300ms", "-5s"; a bare number is refused. Nanoseconds. */
int units_parse_duration(const char *s, int64_t *ret_ns);
char *units_format_duration(struct arena *arena, int64_t ns);	/* as Go prints: "1m3.5s" */
/* "3 minutes ago", "About an hour ago", "2 weeks": docker's units.HumanDuration without " ago". */
char *units_human_duration(struct arena *arena, int64_t ns);

/* RFC 3339 with nanoseconds in UTC ("2026-11-22T05:05:15.373262866Z"); parse takes any zone, fractions, dates without
 * time, unix seconds with a fraction, and durations (meaning that long before `now`). Nanoseconds since the epoch. */
char *units_format_time(struct arena *arena, int64_t ns);
char *units_format_time_local(struct arena *arena, int64_t ns);	/* "2026-11-22 05:05:15.373262866 +0000 UTC", local zone */
int units_parse_time(const char *s, int64_t now_ns, int64_t *ret_ns);
int64_t units_now(void);			/* CLOCK_REALTIME, ns */

#endif
