#include "userns/diagnose.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/string.h"

#define USUAL_COUNT 65536u

/* --- the kernel and its policies */

static int judge_apparmor(const struct userns_facts *f, struct error *err)
{
	error_set(err, ERROR_DENIED,
		  "AppArmor does not let %s use user namespaces (kernel.apparmor_restrict_unprivileged_userns=1)", f->program);
	error_code(err, "userns-apparmor");
	return error_fix_admin(err,
			       "printf 'abi <abi/4.0>,\\ninclude <tunables/global>\\nprofile bryo %s flags=(unconfined) {\\n  userns,\\n}\\n' "
			       ">/etc/apparmor.d/bryo && apparmor_parser -r /etc/apparmor.d/bryo", f->program);
}

/* A profile in the rules of AppArmor 4 that says nothing of user namespaces denies them. */
static int judge_profile(const struct userns_facts *f, struct error *err)
{
	error_set(err, ERROR_DENIED, "AppArmor does not let %s use user namespaces: its profile \"%s\" has no rule for them: %s",
		  f->program, f->apparmor_profile, strerror(f->clone_errno));
	error_code(err, "userns-apparmor");
	error_hint(err, "the line \"userns,\" is to be added to the profile (grep -rl '%s' /etc/apparmor.d), and it loaded again",
		   f->apparmor_profile);
	return error_fix_admin(err, "apparmor_parser -r FILE");
}

static int judge_refusal(const struct userns_facts *f, struct error *err)
{
	if (f->seccomp_filter) {
		error_set(err, ERROR_DENIED, "a seccomp filter, of an outer container or service, refuses user namespaces: %s",
			  strerror(f->clone_errno));
		error_code(err, "userns-seccomp");
		return error_hint(err, "start the outer container with --security-opt seccomp=unconfined, or with a profile that "
				       "allows clone, clone3, unshare, setns and mount");
	}
	if (f->apparmor_profile)
		return judge_profile(f, err);
	if (f->chrooted) {
		error_set(err, ERROR_DENIED, "the kernel gives no user namespace to a process in a chroot");
		error_code(err, "userns-chroot");
		return error_hint(err, "run bryo outside of the chroot, or enter it with pivot_root (systemd-nspawn, unshare)");
	}
	error_set(err, ERROR_DENIED, "the kernel refuses a user namespace: %s", strerror(f->clone_errno));
	error_code(err, "userns-refused");
	error_hint(err, "a security module decides so; its log says which");
	return error_fix_admin(err, "ausearch -m avc -ts recent; dmesg | tail");
}

static int switch_on(struct error *err, const char *setting)
{
	error_code(err, "userns-disabled");
	return error_fix_admin(err, "echo %s >/etc/sysctl.d/90-userns.conf && sysctl -w %s", setting, setting);
}

static int judge_kernel(const struct userns_facts *f, struct error *err)
{
	if (f->max_user_namespaces == 0) {
		error_set(err, ERROR_DENIED, "user namespaces are switched off: user.max_user_namespaces is 0");
		return switch_on(err, "user.max_user_namespaces=15000");
	}
	if (f->userns_clone == 0 && f->uid != 0) {
		error_set(err, ERROR_DENIED,
			  "user namespaces are switched off for ordinary users: kernel.unprivileged_userns_clone is 0");
		return switch_on(err, "kernel.unprivileged_userns_clone=1");
	}
	if ((f->clone_errno || f->stripped) && f->apparmor_restrict == 1 && f->uid != 0)
		return judge_apparmor(f, err);
	switch (f->clone_errno) {
	case 0:
		if (!f->stripped)
			return 0;
		error_set(err, ERROR_DENIED, "a security module takes the capabilities from new user namespaces");
		error_code(err, "userns-refused");
		error_hint(err, "the kernel's log says which policy denies it");
		return error_fix_admin(err, "dmesg | tail");
	case ENOSPC: case EUSERS:
		error_set(err, ERROR_DENIED, "the limit of user namespaces is used up (user.max_user_namespaces is %" PRId64 ")",
			  f->max_user_namespaces);
		error_code(err, "userns-limit");
		return error_fix_admin(err, "sysctl -w user.max_user_namespaces=%" PRId64,
				       f->max_user_namespaces > 0 ? f->max_user_namespaces * 2 : 15000);
	case EINVAL: case ENOSYS:
		error_set(err, ERROR_UNSUPPORTED, "this kernel has no user namespaces (CONFIG_USER_NS)");
		error_code(err, "userns-unsupported");
		return error_hint(err, "boot a kernel with CONFIG_USER_NS=y");
	case EPERM: case EACCES:
		return judge_refusal(f, err);
	default:
		return error_set(err, ERROR_FAILED, "cannot make a user namespace: %s", strerror(f->clone_errno));
	}
}

/* --- the helper programs */

static int judge_helper(const struct userns_facts *f, const struct helper_facts *h, struct error *err)
{
	if (!h->path) {
		error_set(err, ERROR_FAILED, "%s is not installed", h->name);
		error_code(err, "newuidmap-missing");
		return error_fix_admin(err, "apt install uidmap    (Fedora, RHEL: dnf install shadow-utils; Alpine: "
					    "apk add shadow-uidmap; Arch, openSUSE: package shadow)");
	}
	if (!h->setuid_root && !h->file_caps) {
		error_set(err, ERROR_DENIED, "%s has lost its setuid bit", h->path);
		error_code(err, "newuidmap-unprivileged");
		return error_fix_admin(err, "chown root: %s && chmod u+s %s", h->path, h->path);
	}
	if (h->nosuid_mount) {
		error_set(err, ERROR_DENIED, "the setuid bit of %s has no effect: %s is mounted nosuid", h->path,
			  h->nosuid_mount);
		error_code(err, "newuidmap-unprivileged");
		return error_fix_admin(err, "mount -o remount,bind,suid %s    (and take nosuid from its line in /etc/fstab)",
				       h->nosuid_mount);
	}
	if (f->no_new_privs) {
		error_set(err, ERROR_DENIED, "%s cannot gain its privilege: bryo runs under no_new_privs", h->path);
		error_code(err, "newuidmap-unprivileged");
		return error_hint(err, "start bryo outside of the sandbox, or the service with NoNewPrivileges=no");
	}
	return 0;
}

/* --- the ranges */

static bool ranges_meet(const struct subid_entry *a, const struct subid_entry *b)
{
	return a->first < (uint64_t)b->first + b->count && b->first < (uint64_t)a->first + a->count;
}

static uint32_t free_range(const struct userns_facts *f)
{
	return subid_free_range(&f->subuid, &f->subgid, USUAL_COUNT);
}

static size_t ranges_of(const struct userns_facts *f, const struct subid_file *file)
{
	size_t n = 0;

	for (size_t i = 0; i < file->n; i++)
		n += subid_is_owner(&file->v[i], f->user, f->uid);
	return n;
}

static int judge_missing(const struct userns_facts *f, struct error *err)
{
	bool uids = f->from_nss ? f->nss_uids > 0 : ranges_of(f, &f->subuid) > 0;
	bool gids = f->from_nss ? f->nss_gids > 0 : ranges_of(f, &f->subgid) > 0;
	uint32_t first = free_range(f);
	char add_uids[64] = "", add_gids[64] = "";

	if (uids && gids)
		return 0;
	error_set(err, ERROR_FAILED, "%s has no subordinate %s ids (%s)", f->user,
		  uids ? "group" : gids ? "user" : "user and group",
		  f->from_nss ? "the source that nsswitch.conf names" : uids ? SUBGID_FILE : gids ? SUBUID_FILE
								      : SUBUID_FILE " and " SUBGID_FILE);
	error_code(err, "no-subids");
	if (f->from_nss)
		return error_hint(err, "give %s a range in the directory service that `subid:` in nsswitch.conf names", f->user);
	if (!uids)
		snprintf(add_uids, sizeof(add_uids), " --add-subuids %u-%u", first, first + USUAL_COUNT - 1);
	if (!gids)
		snprintf(add_gids, sizeof(add_gids), " --add-subgids %u-%u", first, first + USUAL_COUNT - 1);
	return error_fix_admin(err, "usermod%s%s %s", add_uids, add_gids, f->user);
}

static int judge_overlap(struct arena *arena, const struct userns_facts *f, const struct subid_file *file,
			 const char *path, struct error *err)
{
	const char *kind = file == &f->subuid ? "uids" : "gids";

	for (size_t i = 0; i < file->n; i++) {
		const struct subid_entry *own = &file->v[i];

		if (!subid_is_owner(own, f->user, f->uid))
			continue;
		for (size_t k = 0; k < file->n; k++) {
			const struct subid_entry *other = &file->v[k];
			uint32_t first = free_range(f);

			if (subid_is_owner(other, f->user, f->uid) || !ranges_meet(own, other))
				continue;
			error_set(err, ERROR_INVALID,
				  "%s gives ids of %s (%u:%u) to %s too (%u:%u): their containers could reach each other's files",
				  path, f->user, own->first, own->count, other->owner, other->first, other->count);
			error_code(err, "subid-overlap");
			return error_fix_admin(err, "usermod --del-sub%s %u-%u --add-sub%s %u-%u %s", kind, own->first,
					       own->first + own->count - 1, kind, first, first + USUAL_COUNT - 1, f->user);
		}
	}
	return 0;
}

int diagnose_part(struct arena *arena, const struct userns_facts *f, enum diagnose_part part, struct error *err)
{
	if (part == DIAGNOSE_KERNEL)
		return judge_kernel(f, err);
	if (f->uid == 0)
		return 0;
	switch (part) {
	case DIAGNOSE_RANGES:
		return judge_missing(f, err);
	case DIAGNOSE_HELPERS:
		return judge_helper(f, &f->helpers[0], err) < 0 ? -1 : judge_helper(f, &f->helpers[1], err);
	case DIAGNOSE_OVERLAP:
		if (f->from_nss)
			return 0;
		return judge_overlap(arena, f, &f->subuid, SUBUID_FILE, err) < 0 ? -1 :
		       judge_overlap(arena, f, &f->subgid, SUBGID_FILE, err);
	default:
		return 0;
	}
}

int diagnose_judge(struct arena *arena, const struct userns_facts *f, struct error *err)
{
	for (enum diagnose_part part = 0; part < DIAGNOSE_PARTS; part++)
		if (diagnose_part(arena, f, part, err) < 0)
			return -1;
	return 0;
}

/* --- what is worth a word */

char *diagnose_line(struct arena *arena, const struct error *cause)
{
	struct strings lines = strings_split(arena, cause->hint, "\n"), cures = { 0 };

	for (size_t i = 0; i < lines.n; i++) {
		const char *run = str_after(lines.v[i], "$ "), *admin = str_after(lines.v[i], "# ");

		strings_add(arena, &cures, run ? run : admin ? arena_printf(arena, "as root: %s", admin) : lines.v[i]);
	}
	return arena_printf(arena, "%s%s%s", cause->text, cures.n ? "; cure: " : "", strings_join(arena, &cures, "; "));
}

static uint64_t count_of(const struct userns_facts *f, const struct subid_file *file)
{
	uint64_t n = 0;

	for (size_t i = 0; i < file->n; i++)
		if (subid_is_owner(&file->v[i], f->user, f->uid))
			n += file->v[i].count;
	return n;
}

char *diagnose_note(struct arena *arena, const struct userns_facts *f)
{
	uint64_t uids = count_of(f, &f->subuid), gids = count_of(f, &f->subgid);
	uint32_t first = free_range(f);

	if (f->uid == 0 || f->from_nss || !uids || !gids)
		return NULL;
	for (size_t i = 0; i < f->subuid.n; i++) {
		const struct subid_entry *e = &f->subuid.v[i];

		if (subid_is_owner(e, f->user, f->uid) && f->uid >= e->first && f->uid - e->first < e->count)
			return arena_printf(arena, "the range %u:%u of %s in %s contains the user's own id %u, which is left out",
					    e->first, e->count, f->user, SUBUID_FILE, f->uid);
	}
	if (uids < USUAL_COUNT || gids < USUAL_COUNT)
		return arena_printf(arena,
				    "%s has only %" PRIu64 " subordinate uids and %" PRIu64 " gids; images with higher ids (nobody is "
				    "65534) need more; as root: usermod --add-subuids %u-%u --add-subgids %u-%u %s",
				    f->user, uids, gids, first, first + USUAL_COUNT - 1, first, first + USUAL_COUNT - 1, f->user);
	return NULL;
}
