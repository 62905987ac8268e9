/* sys/log_record - one line of a log file, taken apart (for the reader and its fuzz target) */
#ifndef BRYO_SYS_LOG_RECORD_H
#define BRYO_SYS_LOG_RECORD_H

#include "sys/log.h"

/* line has no newline. False for anything that log_write does not write; zones other than Z are accepted. */
bool log_parse_record(const char *line, size_t size, struct log_record *ret);

#endif
