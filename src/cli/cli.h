/* cli/cli - what every command runs with: the arena, the engine, and the one place that prints errors
 *
 * A command gets its filled request and answers an exit code, or -1 with an error that main prints. Commands which take
 * several names print each failure with cli_failed() as it happens, go on, and answer the worst code. */
#ifndef BRYO_CLI_CLI_H
#define BRYO_CLI_CLI_H

#include "base/args.h"
#include "engine/engine.h"

struct oci;
struct progress;

struct cli_globals {
	struct engine_options engine;
	char *error_format;		/* "text", "json" */
	bool version;
};

struct cli {
	struct arena *arena;
	const struct args_program *program;
	const struct args *args;
	struct cli_globals *globals;
	struct engine engine;
	bool engine_is_known, engine_is_open;
	struct oci *oci;		/* of `bryo oci`, when it is open */
	bool quiet;			/* no progress, no notes */
	struct progress *progress;
};

extern const struct args_program cli_program;

/* The engine with the store open (and the namespace joined), made at the first call; NULL with err. */
struct engine *cli_engine(struct cli *cli, struct error *err);
/* The engine that only knows who calls: nothing is joined or opened. */
struct engine *cli_engine_identity(struct cli *cli, struct error *err);

void cli_print_error(const struct error *err);
/* 125 for what the command did not ask to be told apart: only some exit 1 for a missing object, 2 for one in use. */
int cli_exit_code(const struct command *c, const struct error *err);
/* Prints err and keeps the worst exit code in *code. */
void cli_failed(struct cli *cli, int *code, const struct error *err);
void cli_warn(const char *fmt, ...) ERROR_PRINTF(1, 2);
bool cli_use_color(int fd);
/* Asks "[y/N]" on the terminal; false for anything but yes. */
bool cli_confirm(const char *question);
int cli_width(int fd);			/* columns of a terminal, 100 elsewhere */

#endif
