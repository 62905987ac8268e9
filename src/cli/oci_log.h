/* cli/oci_log - where a runtime's callers look for what went wrong: a log beside standard error
 *
 * --log FILE (or file:FILE, syslog:NAME, journald:NAME) with --log-format text or json, one line a message:
 * {"level":"error","msg":"...","time":"..."}. The file is there from the start on, so that a caller always finds one. */
#ifndef BRYO_CLI_OCI_LOG_H
#define BRYO_CLI_OCI_LOG_H

#include "base/arena.h"
#include "base/error.h"

struct oci_log_options {
	char *destination, *format, *level;
	bool debug;
};

enum oci_log_level { OCI_LOG_ERROR, OCI_LOG_WARNING, OCI_LOG_DEBUG };

int oci_log_open(const struct oci_log_options *options, struct error *err);
/* To the log, and errors and warnings to standard error too. */
void oci_log(enum oci_log_level level, const char *text);

#endif
