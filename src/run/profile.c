#include "run/run.h"

#include <strings.h>

#include "sys/caps.h"

const char *const run_masked_paths[] = {
	"/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/sched_debug", "/proc/scsi",
	"/proc/timer_list", "/proc/timer_stats", "/sys/devices/virtual/powercap", "/sys/firmware", "/sys/fs/selinux",
	NULL,
};

const char *const run_readonly_paths[] = {
	"/proc/asound", "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger", NULL,
};

static const char *const default_capabilities[] = {
	"CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_NET_BIND_SERVICE", "CAP_SETFCAP",
	"CAP_SETGID", "CAP_SETPCAP", "CAP_SETUID", "CAP_SYS_CHROOT",
};

/* What the running kernel knows. */
static uint64_t available(void)
{
	return ((CAPS_BIT(caps_last()) << 1) - 1) & CAPS_ALL;
}

static bool has_all(const struct strings *names)
{
	for (size_t i = 0; i < names->n; i++)
		if (strcasecmp(names->v[i], "all") == 0)
			return true;
	return false;
}

static int named(const struct strings *names, uint64_t *ret, struct error *err)
{
	*ret = 0;
	for (size_t i = 0; i < names->n; i++) {
		int number = caps_number(names->v[i]);

		if (strcasecmp(names->v[i], "all") == 0)
			continue;
		if (number < 0)
			return error_set(err, ERROR_USAGE, "unknown capability \"%s\"", names->v[i]);
		*ret |= CAPS_BIT(number);
	}
	return 0;
}

/* A name wins over "all" on the other side: --cap-drop all --cap-add kill leaves KILL, --cap-add all --cap-drop kill
 * all but KILL. The same name on both sides is a contradiction. */
static int resolve(const struct strings *add, const struct strings *drop, bool privileged, uint64_t *ret,
		   struct error *err)
{
	uint64_t added, dropped, set = 0;

	if (named(add, &added, err) < 0 || named(drop, &dropped, err) < 0)
		return -1;
	if (added & dropped)
		return error_set(err, ERROR_USAGE, "capability %s is both added and dropped",
				 caps_name(__builtin_ctzll(added & dropped)));
	for (size_t i = 0; i < ELEMENTS(default_capabilities); i++)
		set |= CAPS_BIT(caps_number(default_capabilities[i]));
	if (has_all(drop))
		set = 0;
	if (privileged || has_all(add))
		set = available();
	*ret = (set | added) & ~dropped;
	return 0;
}

int run_capabilities(struct arena *arena, const struct strings *add, const struct strings *drop, bool privileged,
		     struct strings *ret, struct error *err)
{
	uint64_t set = 0;

	*ret = (struct strings){ 0 };
	if (resolve(add, drop, privileged, &set, err) < 0)
		return -1;
	for (int n = 0; n < 64; n++)
		if ((set & CAPS_BIT(n)) && caps_name(n))
			strings_add(arena, ret, caps_name(n));
	return 0;
}
