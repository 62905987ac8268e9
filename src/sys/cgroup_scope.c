#include "sys/cgroup.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>

#include "sys/fd.h"

/* libsystemd costs 0.4 ms to link and is not everywhere, so only who needs a scope loads it. Its types, as far as they
 * cross this border: */
struct bus_error {
	const char *name, *message;
	int need_free;
};

struct bus_calls {
	int (*open_user)(void **ret);
	int (*call_method)(void *bus, const char *destination, const char *path, const char *interface,
			   const char *member, struct bus_error *error, void **reply, const char *types, ...);
	void *(*close)(void *bus);
	void (*error_free)(struct bus_error *error);
};

#define SCOPE_WAIT_MS 5000
#define EXISTS "org.freedesktop.systemd1.UnitExists"

static void pause_ms(int ms)
{
	nanosleep(&(struct timespec){ .tv_nsec = ms * 1000000L }, NULL);
}

static int load(struct bus_calls *b, struct error *err)
{
	void *library = dlopen("libsystemd.so.0", RTLD_NOW | RTLD_LOCAL);

	if (!library) {
		error_set(err, ERROR_UNSUPPORTED, "libsystemd is not installed");
		return error_hint(err, "use --cgroup-manager=cgroupfs");
	}
	*(void **)&b->open_user = dlsym(library, "sd_bus_open_user");
	*(void **)&b->call_method = dlsym(library, "sd_bus_call_method");
	*(void **)&b->close = dlsym(library, "sd_bus_flush_close_unref");
	*(void **)&b->error_free = dlsym(library, "sd_bus_error_free");
	if (!b->open_user || !b->call_method || !b->close || !b->error_free)
		return error_set(err, ERROR_UNSUPPORTED, "this libsystemd lacks sd-bus");
	return 0;
}

/* systemd answers when the job is queued; the scope is there when the process is in it. */
static int wait_until_inside(int pid, const char *scope, struct error *err)
{
	_cleanup_arena_ struct arena *scratch = arena_new();
	const char *path = arena_printf(scratch, "/proc/%d/cgroup", pid);

	for (int waited = 0; waited < SCOPE_WAIT_MS; waited += 2) {
		char *text = fd_read_file(scratch, AT_FDCWD, path, 65536, NULL);

		if (!text)
			return error_errno(err, "read %s", path);
		if (strstr(text, scope))
			return 0;
		pause_ms(2);
	}
	return error_set(err, ERROR_FAILED, "systemd did not start the scope %s in time", scope);
}

static int ask_for_scope(const struct bus_calls *b, void *bus, const char *scope, const char *description, int pid,
			 struct bus_error *e)
{
	return b->call_method(bus, "org.freedesktop.systemd1", "/org/freedesktop/systemd1",
			      "org.freedesktop.systemd1.Manager", "StartTransientUnit", e, NULL,
			      "ssa(sv)a(sa(sv))", scope, "fail", 5,
			      "PIDs", "au", 1, (uint32_t)pid,
			      "Description", "s", description,
			      "Delegate", "b", 1,
			      "CollectMode", "s", "inactive-or-failed",
			      "DefaultDependencies", "b", 0,
			      0);
}

/* Of a container that has just ended systemd may still have the scope, until it notices that it is empty. */
static int start(const struct bus_calls *b, void *bus, const char *scope, const char *description, int pid,
		 struct error *err)
{
	struct bus_error e = { 0 };
	int result;

	for (int waited = 0;; waited += 10) {
		result = ask_for_scope(b, bus, scope, description, pid, &e);
		if (result >= 0 || !e.name || strcmp(e.name, EXISTS) != 0 || waited >= SCOPE_WAIT_MS)
			break;
		b->error_free(&e);
		pause_ms(10);
	}
	if (result < 0)
		error_set(err, ERROR_FAILED, "systemd refuses the scope %s: %s", scope,
			  e.message ? e.message : strerror(-result));
	b->error_free(&e);
	return result < 0 ? -1 : 0;
}

/* Limits are written to the cgroup inside the delegated scope, never to the scope, which is systemd's. */
int cgroup_start_scope(const struct cgroup_host *host, const char *scope, const char *description, int pid,
		       const struct cgroup_settings *settings, struct error *err)
{
	struct bus_calls b = { 0 };
	void *bus = NULL;
	int result;

	if (host->manager != CGROUP_SYSTEMD || settings->n)
		return error_set(err, ERROR_STATE, "a scope is asked for without limits, of the systemd manager");
	if (load(&b, err) < 0)
		return -1;
	result = b.open_user(&bus);
	if (result < 0) {
		error_set(err, ERROR_FAILED, "connect to the user's systemd: %s", strerror(-result));
		return error_hint(err, "use --cgroup-manager=cgroupfs, or log in through systemd");
	}
	result = start(&b, bus, scope, description, pid, err);
	b.close(bus);
	return result < 0 ? -1 : wait_until_inside(pid, scope, err);
}
