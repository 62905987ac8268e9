/* cli/login - login, logout: credentials of registries */
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "engine/image.h"
#include "sys/tty.h"

struct login_command_request { struct login_request login; bool password_stdin, verbose; };

static const struct option login_options[] = {
	OPT_STRING('u', "username", login_command_request, login.username, "NAME", "User name"),
	OPT_STRING('p', "password", login_command_request, login.password, "PASSWORD",
		   "Password; others may see it: better --password-stdin"),
	OPT_FLAG(0, "password-stdin", login_command_request, password_stdin, "Read the password from standard input"),
	OPT_FLAG(0, "get-login", login_command_request, login.get_login, "Print who is logged in"),
	OPT_AUTHFILE(login_command_request, login.authfile),
	OPT_STRING(0, "cert-dir", login_command_request, login.cert_dir, "DIR", "Certificates and keys for the registry",
		   .complete = COMPLETE_DIRECTORIES),
	OPT_TLS_VERIFY(login_command_request, login.tls_verify),
	OPT_FLAG('v', "verbose", login_command_request, verbose, "Say where the credentials are kept", .flags = OPTION_HIDDEN),
	OPT_UNSUPPORTED("secret", "there are no secrets; use --password-stdin"),
	OPT_UNSUPPORTED("compat-auth-file", "name the file with --authfile"),
	OPT_END
};

static int read_line(struct cli *cli, char **ret, struct error *err)
{
	char line[4096];

	if (!fgets(line, sizeof(line), stdin))
		return error_set(err, ERROR_USAGE, "no credentials on standard input");
	line[strcspn(line, "\r\n")] = '\0';
	*ret = arena_strdup(cli->arena, line);
	explicit_bzero(line, sizeof(line));
	return 0;
}

static int ask_username(struct cli *cli, char **ret, struct error *err)
{
	fputs("Username: ", stderr);
	return read_line(cli, ret, err);
}

static int ask_password(struct cli *cli, char **ret, struct error *err)
{
	struct termios old, quiet;
	bool terminal = tcgetattr(STDIN_FILENO, &old) == 0;
	int r;

	fputs("Password: ", stderr);
	if (terminal) {
		quiet = old;
		quiet.c_lflag &= ~(tcflag_t)ECHO;
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
	}
	r = read_line(cli, ret, err);
	if (terminal) {
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &old);
		fputc('\n', stderr);
	}
	return r;
}

static int complete_credentials(struct cli *cli, struct login_command_request *r, struct error *err)
{
	struct login_request *login = &r->login;

	if (r->password_stdin) {
		if (!login->username)
			return error_set(err, ERROR_USAGE, "must provide --username with --password-stdin");
		if (login->password)
			return error_set(err, ERROR_USAGE, "can't specify both --password-stdin and --password");
		return read_line(cli, &login->password, err);
	}
	if ((!login->username || !login->password) && !tty_is(STDIN_FILENO))
		return error_set(err, ERROR_USAGE, "user name and password are needed: use --username and "
						      "--password-stdin where there is no terminal");
	if (!login->username && ask_username(cli, &login->username, err) < 0)
		return -1;
	return login->password ? 0 : ask_password(cli, &login->password, err);
}

static int run_login(struct cli *cli, const struct args *args, struct error *err)
{
	struct login_command_request *r = args->request;
	char *message = NULL;
	struct engine *e;

	r->login.registry = args->operands.n ? args->operands.v[0] : arena_strdup(cli->arena, "docker.io");
	if (!r->login.get_login && complete_credentials(cli, r, err) < 0)
		return -1;
	e = cli_engine_identity(cli, err);
	if (!e || registry_login(e, &r->login, &message, err) < 0)
		return -1;
	puts(message ? message : "Login Succeeded!");
	return 0;
}

static const struct command_example login_examples[] = {
	{ "bryo login quay.io", NULL },
	{ "bryo login -u me --password-stdin ghcr.io < token", "without a terminal" },
	{ "bryo login --get-login quay.io", NULL },
	{ NULL, NULL }
};

const struct command login_command = {
	.names = "login",
	.synopsis = "[options] [REGISTRY]",
	.summary = "Log in to a registry",
	.description = "Tries the credentials and keeps them in auth.json, or with the credential helper that is configured.",
	.examples = login_examples,
	.options = { login_options },
	.request_size = sizeof(struct login_command_request),
	.operands_max = 1,
	.topic = TOPIC_IMAGES,
	.run = run_login,
};

/* --- logout */

struct logout_request { struct login_request login; bool all; };

static const struct option logout_options[] = {
	OPT_FLAG('a', "all", logout_request, all, "From all registries"),
	OPT_AUTHFILE(logout_request, login.authfile),
	OPT_UNSUPPORTED("compat-auth-file", "name the file with --authfile"),
	OPT_END
};

static int run_logout(struct cli *cli, const struct args *args, struct error *err)
{
	struct logout_request *r = args->request;
	char *message = NULL;
	struct engine *e;

	if (args->operands.n && r->all)
		return error_set(err, ERROR_USAGE, "--all takes no arguments");
	r->login.registry = args->operands.n ? args->operands.v[0] : arena_strdup(cli->arena, "docker.io");
	e = cli_engine_identity(cli, err);
	if (!e || registry_logout(e, &r->login, r->all, &message, err) < 0)
		return -1;
	if (message)
		puts(message);
	return 0;
}

const struct command logout_command = {
	.names = "logout",
	.synopsis = "[options] [REGISTRY]",
	.summary = "Forget the credentials of a registry",
	.options = { logout_options },
	.request_size = sizeof(struct logout_request),
	.operands_max = 1,
	.topic = TOPIC_IMAGES,
	.run = run_logout,
};
