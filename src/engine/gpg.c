#include "engine/gpg.h"

#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>

#include "spec/pgp.h"
#include "sys/fd.h"
#include "sys/spawn.h"

#define KEYRINGS_MAX 32
#define STATUS_MAX ((size_t)256 << 10)
#define CPU_SECONDS 10

struct run {
	struct strings argv;
	int pass[KEYRINGS_MAX + 2];	/* status, message, keyrings */
	size_t pass_n;
};

static int keep(struct run *r, const char *bytes, size_t n)
{
	int fd = memfd_create("bryo-gpgv", MFD_CLOEXEC);

	if (fd < 0 || (n && fd_write_all(fd, bytes, n) < 0)) {
		fd_close(&fd);
		return -1;
	}
	r->pass[r->pass_n++] = fd;
	return fd;
}

static void done(struct run *r)
{
	for (size_t i = 0; i < r->pass_n; i++)
		close(r->pass[i]);
}

static int prepare(struct engine *e, struct run *r, const struct gpg_keyrings *keyrings,
		   const struct gpg_bytes *message)
{
	int status = keep(r, NULL, 0), text = status < 0 ? -1 : keep(r, message->data, message->size);

	if (text < 0)
		return -1;
	strings_add(e->arena, &r->argv, "gpgv");
	strings_add(e->arena, &r->argv, "--homedir");
	strings_add(e->arena, &r->argv, "/nonexistent");
	strings_add(e->arena, &r->argv, "--status-fd");
	strings_addf(e->arena, &r->argv, "%d", status);
	for (size_t i = 0; i < keyrings->n; i++) {
		int keyring = keep(r, keyrings->v[i].data, keyrings->v[i].size);

		if (keyring < 0)
			return -1;
		strings_add(e->arena, &r->argv, "--keyring");
		strings_addf(e->arena, &r->argv, "/proc/self/fd/%d", keyring);
	}
	strings_add(e->arena, &r->argv, "--output");
	strings_add(e->arena, &r->argv, "-");
	strings_addf(e->arena, &r->argv, "/proc/self/fd/%d", text);
	return 0;
}

static int find_program(struct engine *e, char **ret, struct error *err)
{
	*ret = spawn_find(e->arena, "gpgv");
	if (!*ret)
		*ret = spawn_find(e->arena, "gpgv2");
	if (*ret)
		return 0;
	error_set(err, ERROR_FAILED, "gpgv, which checks signatures, is not installed");
	return error_hint(err, "install the package gpgv (Debian, Ubuntu) or gnupg2 (Fedora)");
}

static int verdict(struct engine *e, const struct run *r, const char *text, char **ret_text, size_t *ret_size,
		   struct error *err)
{
	char *status = NULL, *fingerprint;
	size_t n;

	if (lseek(r->pass[0], 0, SEEK_SET) == 0)
		status = fd_read_regular(e->arena, r->pass[0], STATUS_MAX, &n);
	if (!status)
		return error_errno(err, "read what gpgv says");
	if (pgp_verdict(e->arena, status, strlen(text), &fingerprint, err) < 0)
		return -1;
	*ret_text = arena_strdup(e->arena, text);
	*ret_size = strlen(text);
	return 0;
}

/* A good verdict needs the exit status, too; without one the verdict says why. */
static int run(struct engine *e, const struct run *r, char **ret_text, size_t *ret_size, struct error *err)
{
	static char locale[] = "LC_ALL=C";
	char *env[] = { locale, NULL }, *program, *text = NULL;
	struct spawn s = { .argv = r->argv.v, .env = env, .pass = r->pass, .pass_n = r->pass_n, .input = "",
			   .cpu_seconds = CPU_SECONDS };
	int code;

	if (find_program(e, &program, err) < 0)
		return -1;
	s.program = program;
	code = spawn_run(e->arena, &s, &text, NULL, err);
	if (code < 0)
		return -1;
	if (code > 128)
		return error_set(err, ERROR_FAILED, "gpgv was ended by signal %d", code - 128);
	if (verdict(e, r, text, ret_text, ret_size, err) < 0)
		return -1;
	return code == 0 ? 0 : error_set(err, ERROR_DENIED, "gpgv ended with status %d", code);
}

int gpg_check(struct engine *e, const struct gpg_keyrings *keyrings, const struct gpg_bytes *message, char **ret_text,
	      size_t *ret_size, struct error *err)
{
	struct run r = { 0 };
	int result;

	if (keyrings->n == 0 || keyrings->n > KEYRINGS_MAX)
		return error_set(err, ERROR_INVALID, "%zu keyrings for one signature: 1 to %d are possible",
				 keyrings->n, KEYRINGS_MAX);
	result = prepare(e, &r, keyrings, message) < 0 ? error_errno(err, "keep a signature for gpgv") :
							 run(e, &r, ret_text, ret_size, err);
	done(&r);
	return result;
}
