/* Lines of a log file, each taken apart as the reader does. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "sys/log_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *at = (const char *)data, *end = at + size;

	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		size_t n = (size_t)((newline ? newline : end) - at);
		struct log_record record;

		if (log_parse_record(at, n, &record)) {
			assert(record.text >= at && record.text + record.size <= at + n);
			assert(record.stream == LOG_STDOUT || record.stream == LOG_STDERR);
		}
		at += n + 1;
	}
	return 0;
}
