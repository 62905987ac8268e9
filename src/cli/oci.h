/* cli/oci - the command line of the OCI runtime: `bryo oci ...`, or bryo called as bryo-oci, runc or crun
 *
 * A program of its own beside bryo's commands, with crun's and runc's words: global options before and after the command,
 * exit code 1 for every failure of its own, messages that engines recognize, and a log that exists before anything can
 * fail. */
#ifndef BRYO_CLI_OCI_H
#define BRYO_CLI_OCI_H

#include "base/args.h"
#include "cli/oci_log.h"
#include "oci/oci.h"

struct oci_globals {
	struct oci_options oci;
	struct oci_log_options log;
	bool systemd_cgroup, version;
};

extern const struct args_program oci_program;

/* The program that words are about: with "oci" in front (*used is 1 then) the runtime's, else bryo's. */
const struct args_program *oci_program_of(size_t n, char *const *words, size_t *used);

/* Is this program called by a name of the runtime, or by `oci`? Then *skip is 1 when the word is to be left out. */
bool oci_is_called(int argc, char *const *argv, int *skip);
int oci_main(int argc, char **argv, int skip);

/* The runtime, opened at the first call; NULL with err. */
struct oci *cli_oci(struct cli *cli, struct error *err);
/* Prints JSON with an indent of 2, as the other runtimes do. */
int oci_print(struct cli *cli, const struct json *value, struct error *err);

#define OCI_COMMANDS(X)                                                                                         \
	X(create) X(start) X(run) X(exec) X(state) X(kill) X(delete) X(list) X(ps) X(pause) X(resume) X(update) \
	X(events) X(features) X(spec) X(checkpoint) X(restore)

#define OCI_DECLARE_COMMAND(name) extern const struct command oci_##name##_command;
OCI_COMMANDS(OCI_DECLARE_COMMAND)

#endif
