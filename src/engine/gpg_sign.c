#include "engine/gpg_sign.h"

#include <stdio.h>
#include <sys/mman.h>

#include "spec/signature.h"
#include "sys/fd.h"
#include "sys/spawn.h"

static int find_program(struct engine *e, char **ret, struct error *err)
{
	*ret = spawn_find(e->arena, "gpg");
	if (!*ret)
		*ret = spawn_find(e->arena, "gpg2");
	if (*ret)
		return 0;
	error_set(err, ERROR_FAILED, "gpg, which makes signatures, is not installed");
	return error_hint(err, "install the package gnupg (Debian, Ubuntu) or gnupg2 (Fedora)");
}

/* The last line that gpg printed: its reason. */
static const char *reason(struct engine *e, const char *said)
{
	struct strings lines = strings_split(e->arena, said ? said : "", "\n");

	for (size_t i = lines.n; i > 0; i--)
		if (*lines.v[i - 1])
			return str_printable(e->arena, lines.v[i - 1], 300);
	return "it does not say why";
}

static int take_output(struct engine *e, int fd, struct gpg_bytes *ret, struct error *err)
{
	if (lseek(fd, 0, SEEK_SET) == 0 && (ret->data = fd_read_regular(e->arena, fd, SIGNATURE_MAX, &ret->size)))
		return 0;
	return error_errno(err, "read what gpg wrote");
}

/* gpg ARG...; its output goes to a file in memory. what: in messages. */
static int run(struct engine *e, const struct strings *more, const char *input, const char *what, struct gpg_bytes *ret,
	       struct error *err)
{
	_cleanup_fd_ int out = memfd_create("bryo-gpg", MFD_CLOEXEC);
	struct spawn s = { .pass = &out, .pass_n = 1, .input = input };
	struct strings argv = { 0 };
	char *program, *said = NULL;
	int code;

	if (find_program(e, &program, err) < 0)
		return -1;
	if (out < 0)
		return error_errno(err, "keep what gpg writes");
	strings_add(e->arena, &argv, "gpg");
	strings_add(e->arena, &argv, "--batch");
	strings_add(e->arena, &argv, "--yes");
	strings_add(e->arena, &argv, "--output");
	strings_addf(e->arena, &argv, "/proc/self/fd/%d", out);
	strings_add_all(e->arena, &argv, more);
	s.program = program;
	s.argv = argv.v;
	code = spawn_run(e->arena, &s, NULL, &said, err);
	if (code < 0)
		return -1;
	if (code > 0)
		return error_set(err, ERROR_FAILED, "%s: %s", what, reason(e, said));
	return take_output(e, out, ret, err);
}

int gpg_sign_find(struct engine *e, const char *key, struct gpg_bytes *ret_keyring, struct error *err)
{
	const char *what = arena_printf(e->arena, "look for the key %s", str_printable(e->arena, key, 200));
	struct strings list = { 0 }, export = { 0 };
	struct gpg_bytes ignored;

	strings_add(e->arena, &list, "--list-secret-keys");
	strings_add(e->arena, &list, "--");
	strings_add(e->arena, &list, key);
	strings_add(e->arena, &export, "--export");
	strings_add(e->arena, &export, "--");
	strings_add(e->arena, &export, key);
	if (run(e, &list, "", what, &ignored, err) < 0)
		return error_hint(err, "the keys that can sign are listed by: gpg --list-secret-keys");
	return run(e, &export, "", what, ret_keyring, err);
}

int gpg_sign(struct engine *e, const char *key, const char *passphrase_file, const char *text, struct gpg_bytes *ret,
	     struct error *err)
{
	const char *what = arena_printf(e->arena, "sign with %s", str_printable(e->arena, key, 200));
	struct strings more = { 0 };

	if (!str_is_empty(passphrase_file)) {
		strings_add(e->arena, &more, "--pinentry-mode");
		strings_add(e->arena, &more, "loopback");
		strings_add(e->arena, &more, "--passphrase-file");
		strings_addf(e->arena, &more, "%s%s%s", *passphrase_file == '/' ? "" : e->identity.cwd,
			     *passphrase_file == '/' ? "" : "/", passphrase_file);
	}
	strings_add(e->arena, &more, "--local-user");
	strings_add(e->arena, &more, key);
	strings_add(e->arena, &more, "--sign");
	return run(e, &more, text, what, ret, err);
}
