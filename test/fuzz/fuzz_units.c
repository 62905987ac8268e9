/* Sizes, durations, times and patterns: the first line is a pattern, the second a name. */
#include "base/units.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/glob.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const words[] = { "run", "create", "inspect", NULL };
	_cleanup_arena_ struct arena *arena = arena_new();
	char *text = arena_memdup(arena, data, size), *rest = strchr(text, '\n');
	int64_t ns, again;
	uint64_t bytes;

	if (rest)
		*rest++ = '\0';
	glob_match(text, rest ? rest : "");
	glob_match_path(text, rest ? rest : "");
	glob_closest(text, words);
	if (units_parse_size(text, &bytes) == 0) {
		units_format_size(arena, bytes);
		units_format_size_binary(arena, bytes);
	}
	if (units_parse_duration(text, &ns) == 0) {
		units_human_duration(arena, ns);
		if (units_parse_duration(units_format_duration(arena, ns), &again) < 0 || again != ns)
			abort();
	}
	if (units_parse_time(text, 0, &ns) == 0) {
		units_format_time_local(arena, ns);
		if (units_parse_time(units_format_time(arena, ns), 0, &again) < 0 || again != ns)
			abort();
	}
	return 0;
}
