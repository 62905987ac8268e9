/* cli/completion - scripts for the shells, and the answers that they ask for
 *
 * The scripts know nothing: they call `bryo __complete WORDS...`, where the last word is being typed, and get one
 * candidate a line ("candidate TAB description") or ":files", ":directories", ":programs" for what the shell knows
 * better. Names are live. Nothing that fails here may disturb a prompt: no messages, always exit 0. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/codes.h"
#include "cli/commands.h"
#include "cli/oci.h"
#include "cli/output.h"
#include "engine/container.h"
#include "engine/image.h"
#include "engine/volume.h"
#include "explain/reasons.h"
#include "store/network.h"

static const char bash_script[] =
	"# bash completion for bryo\n"
	"_bryo()\n"
	"{\n"
	"	local text=${COMP_LINE:0:COMP_POINT} candidate rest word prefix\n"
	"	local -a words\n"
	"	read -ra words <<<\"$text\"\n"
	"	[[ $text == *[[:space:]] ]] && words+=(\"\")\n"
	"	word=${words[-1]}\n"
	"	# readline breaks words at = and : too; it replaces only what follows the last of them\n"
	"	prefix=${word%\"${word##*[=:]}\"}\n"
	"	COMPREPLY=()\n"
	"	while IFS=$'\\t' read -r candidate rest; do\n"
	"		case $candidate in\n"
	"		:files) compopt -o filenames; mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -f -- \"${word#\"$prefix\"}\") ;;\n"
	"		:directories) compopt -o filenames; mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -d -- \"${word#\"$prefix\"}\") ;;\n"
	"		:programs) mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -c -- \"$word\") ;;\n"
	"		*[=:/]) compopt -o nospace; COMPREPLY+=(\"${candidate#\"$prefix\"}\") ;;\n"
	"		*) COMPREPLY+=(\"${candidate#\"$prefix\"}\") ;;\n"
	"		esac\n"
	"	done < <(\"${COMP_WORDS[0]}\" __complete \"${words[@]:1}\" 2>/dev/null)\n"
	"}\n"
	"complete -F _bryo bryo\n";

static const char zsh_script[] =
	"#compdef bryo\n"
	"_bryo()\n"
	"{\n"
	"	setopt localoptions extendedglob\n"
	"	local line\n"
	"	local -a lines described open match mbegin mend\n"
	"	lines=(\"${(@f)$(\"${words[1]}\" __complete \"${(@)words[2,CURRENT]}\" 2>/dev/null)}\")\n"
	"	for line in $lines; do\n"
	"		case $line in\n"
	"		:files*) _files ;;\n"
	"		:directories*) _files -/ ;;\n"
	"		:programs*) _command_names ;;\n"
	"		(#b)([^$'\\t']#[=:/])$'\\t'*) open+=(\"$match[1]\") ;;\n"
	"		*$'\\t'*) described+=(\"${${line%%$'\\t'*}//:/\\\\:}:${line#*$'\\t'}\") ;;\n"
	"		esac\n"
	"	done\n"
	"	(( $#open )) && compadd -S '' -- $open\n"
	"	(( $#described )) && _describe -t candidates bryo described\n"
	"}\n"
	"# Autoloaded from fpath this file is the function's first call; sourced, it registers the function.\n"
	"if [[ $funcstack[1] = _bryo ]]; then _bryo \"$@\"; else compdef _bryo bryo; fi\n";

static const char fish_script[] =
	"# fish completion for bryo\n"
	"function __bryo_complete\n"
	"	set -l words (commandline -opc)\n"
	"	for line in ($words[1] __complete $words[2..-1] (commandline -ct) 2>/dev/null)\n"
	"		switch $line\n"
	"			case ':files*'\n"
	"				__fish_complete_path (commandline -ct)\n"
	"			case ':directories*'\n"
	"				__fish_complete_directories (commandline -ct)\n"
	"			case ':programs*'\n"
	"				__fish_complete_command\n"
	"			case '*'\n"
	"				printf '%s\\n' $line\n"
	"		end\n"
	"	end\n"
	"end\n"
	"complete -c bryo -f -a '(__bryo_complete)'\n";

static int run_completion(struct cli *cli, const struct args *args, struct error *err)
{
	static const struct { const char *shell, *script; } scripts[] = {
		{ "bash", bash_script }, { "zsh", zsh_script }, { "fish", fish_script },
	};

	for (size_t i = 0; i < ELEMENTS(scripts); i++)
		if (strcmp(scripts[i].shell, args->operands.v[0]) == 0) {
			fputs(scripts[i].script, stdout);
			return 0;
		}
	return error_set(err, ERROR_USAGE, "invalid shell \"%s\": must be bash, zsh or fish", args->operands.v[0]);
}

static const struct command_example completion_examples[] = {
	{ "source <(bryo completion bash)", "in ~/.bashrc" },
	{ "bryo completion zsh > ~/.zfunc/_bryo", NULL },
	{ "bryo completion fish > ~/.config/fish/completions/bryo.fish", NULL },
	{ NULL, NULL }
};

const struct command completion_command = {
	.names = "completion",
	.synopsis = "bash|zsh|fish",
	.summary = "Print the completion script for a shell",
	.examples = completion_examples,
	.operands_min = 1, .operands_max = 1,
	.topic = TOPIC_SYSTEM,
	.run = run_completion,
};

/* --- __complete */

static void offer(struct cli *cli, const struct args_completion *c, const char *candidate, const char *description)
{
	if (candidate && str_starts(candidate, c->word))
		printf("%s%s\t%s\n", c->prefix, output_clean(cli->arena, candidate),
		       output_clean(cli->arena, description ? description : ""));
}

static bool wanted(enum completion kind, enum container_status s)
{
	switch (kind) {
	case COMPLETE_CONTAINERS_RUNNING:
		return s == CONTAINER_RUNNING;
	case COMPLETE_CONTAINERS_PAUSED:
		return s == CONTAINER_PAUSED;
	case COMPLETE_CONTAINERS_STOPPED:
		return s == CONTAINER_CREATED || s == CONTAINER_EXITED || s == CONTAINER_INITIALIZED;
	default:
		return true;
	}
}

static void offer_containers(struct cli *cli, const struct args_completion *c, const char *after)
{
	struct containers all = { 0 };
	struct error err = { 0 };

	if (!cli_engine(cli, &err) || container_load_all(&cli->engine, &all, &err) < 0)
		return;
	for (size_t i = 0; i < all.n; i++) {
		struct container_state state = { 0 };
		const struct container *k = &all.v[i];

		if (container_load_state(&cli->engine, k, &state, &err) < 0 || !wanted(c->kind, state.status))
			continue;
		offer(cli, c, arena_printf(cli->arena, "%s%s", k->name, after), k->image_name);
		if (*c->word && !str_starts(k->name, c->word))
			offer(cli, c, arena_printf(cli->arena, "%.12s%s", k->id, after), k->name);
	}
}

static void offer_images(struct cli *cli, const struct args_completion *c)
{
	struct images all = { 0 };
	struct error err = { 0 };

	if (!cli_engine(cli, &err) || image_list(cli->arena, &cli->engine.store, &all, &err) < 0)
		return;
	for (size_t i = 0; i < all.n; i++)
		for (size_t k = 0; k < all.v[i].names.n; k++) {
			const char *name = all.v[i].names.v[k], *slash = strrchr(name, '/');

			offer(cli, c, name, "");
			if (slash && *c->word && !str_starts(name, c->word))
				offer(cli, c, slash + 1, name);
		}
}

static void offer_volumes(struct cli *cli, const struct args_completion *c)
{
	struct volumes all = { 0 };
	struct error err = { 0 };

	if (!cli_engine(cli, &err) || volume_list(cli->arena, &cli->engine.store, &all, &err) < 0)
		return;
	for (size_t i = 0; i < all.n; i++)
		if (!all.v[i].anonymous || *c->word)
			offer(cli, c, all.v[i].name, "");
}

static void offer_networks(struct cli *cli, const struct args_completion *c)
{
	struct networks all = { 0 };
	struct error err = { 0 };

	if (!cli_engine(cli, &err) || network_list(cli->arena, &cli->engine.store, &all, &err) < 0)
		return;
	for (size_t i = 0; i < all.n; i++) {
		offer(cli, c, all.v[i].name, all.v[i].subnets.n ? all.v[i].subnets.v[0].subnet : "");
		if (*c->word && !str_starts(all.v[i].name, c->word))
			offer(cli, c, arena_printf(cli->arena, "%.12s", all.v[i].id), all.v[i].name);
	}
}

static void offer_list(struct cli *cli, const struct args_completion *c, const char *const *list)
{
	for (; *list; list++)
		offer(cli, c, *list, "");
}

extern char **environ;

static void offer_environment(struct cli *cli, const struct args_completion *c)
{
	for (char **e = environ; *e; e++)
		offer(cli, c, arena_strndup(cli->arena, *e, strcspn(*e, "=")), "");
}

static const char *const signals[] = { "HUP", "INT", "QUIT", "KILL", "USR1", "USR2", "TERM", "STOP", "CONT", "WINCH", NULL };

static const char *const network_modes[] = { "none", "host", "private", "pasta", "slirp4netns", "container:", "ns:", NULL };

static void offer_live(struct cli *cli, const struct args_completion *c)
{
	switch (c->kind) {
	case COMPLETE_CONTAINERS: case COMPLETE_CONTAINERS_RUNNING: case COMPLETE_CONTAINERS_PAUSED:
	case COMPLETE_CONTAINERS_STOPPED:
		offer_containers(cli, c, "");
		break;
	case COMPLETE_CONTAINER_PATHS:
		offer_containers(cli, c, ":");
		puts(":files");
		break;
	case COMPLETE_IMAGES:
		offer_images(cli, c);
		break;
	case COMPLETE_VOLUMES:
		offer_volumes(cli, c);
		break;
	case COMPLETE_VOLUMES_OR_DIRECTORIES:
		if (!strpbrk(c->word, "/."))
			offer_volumes(cli, c);
		puts(":files");
		break;
	case COMPLETE_NETWORKS:
		offer_networks(cli, c);
		break;
	case COMPLETE_NETWORK_MODES:
		offer_networks(cli, c);
		offer_list(cli, c, network_modes);
		break;
	case COMPLETE_OBJECTS:
		offer_containers(cli, c, "");
		offer_images(cli, c);
		offer_volumes(cli, c);
		offer_networks(cli, c);
		break;
	case COMPLETE_SIGNALS:
		offer_list(cli, c, signals);
		break;
	case COMPLETE_ENVIRONMENT:
		offer_environment(cli, c);
		break;
	case COMPLETE_FILES:
		puts(":files");
		break;
	case COMPLETE_DIRECTORIES:
		puts(":directories");
		break;
	case COMPLETE_PROGRAMS:
		puts(":programs");
		break;
	default:
		break;
	}
}

static void offer_codes(struct cli *cli, const struct args_completion *c)
{
	for (const struct code *k = codes; k->name; k++)
		offer(cli, c, k->name, k->summary);
	for (enum reason r = REASON_NONE + 1; r < REASON_COUNT; r++)
		offer(cli, c, reason_text(r)->code, reason_text(r)->line);
}

static int run_complete(struct cli *cli, const struct args *args, struct error *err)
{
	const struct args_program *program;
	struct strings candidates = { 0 };
	struct args_completion c;
	size_t skip, n = args->operands.n;

	cli->quiet = true;
	/* The word itself is still being typed when nothing follows it. */
	program = oci_program_of(n > 1 ? n : 0, args->operands.v, &skip);
	args_complete(cli->arena, program, (int)(n - skip), args->operands.v + skip, &c);
	if (c.command == &completion_command && !c.options) {
		static const char *const shells[] = { "bash", "zsh", "fish", NULL };

		offer_list(cli, &c, shells);
		return 0;
	}
	if (c.command == &help_command && !c.options && n == 2)
		offer_codes(cli, &c);
	args_complete_static(cli->arena, program, &c, &candidates);
	for (size_t i = 0; i < candidates.n; i++)
		puts(candidates.v[i]);
	offer_live(cli, &c);
	return 0;
}

const struct command complete_command = {
	.names = "__complete",
	.synopsis = "WORD...",
	.summary = "Answer the shell's completion",
	.operands_max = COMMAND_ANY_NUMBER,
	.flags = COMMAND_HIDDEN | COMMAND_RAW,
	.run = run_complete,
};
