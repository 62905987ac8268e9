#include "explain/reasons.h"

#include "base/string.h"

static const struct reason_text texts[REASON_COUNT] = {
	[REASON_NONE] = { "allowed", "nothing is in the way", "The kernel allows the access.", NULL },

	[REASON_UID_SHIFT] = { "uid-shift",
		"the process is another user of this host than its number suggests",
		"A rootless container has its own numbers of users. Its root is you; its user 1 is your first "
		"subordinate id (/etc/subuid), and its user 1000 is your thousandth, for example 100999. To the "
		"kernel that one is a stranger: he has no more rights over your files than any other user of the "
		"machine. So a process that runs as 1000 in the container cannot write to a directory that "
		"belongs to you, although the numbers look alike. Either let your own id be that user in the "
		"container (--userns=keep-id:uid=1000,gid=1000), or run as the container's root, who is you, or "
		"grant the access to the id that the kernel sees.",
		":z and :Z (labels of SELinux only), plain --userns=keep-id where the image sets another USER, "
		"--group-add keep-groups, --privileged" },
	[REASON_MODE_BITS] = { "mode-bits", "the mode of the file or directory refuses it",
		"The kernel takes one class and asks no further: the owner's bits for the owner, else the group's "
		"for members of the group, else the bits for others. An owner whose own bits are missing is "
		"locked out even where everybody else may enter. The host would refuse it to the same user as "
		"well: this is no matter of containers.",
		"changing the id map" },
	[REASON_ACL_MASK] = { "acl-mask", "the ACL grants it, and its mask takes it away",
		"The mask of an ACL limits what its named users and groups and the owning group get. The group "
		"bits that ls shows are the mask, so a later chmod g-w takes write access from all of them; "
		"getfacl shows it as #effective. Renewing the mask gives it back.",
		NULL },
	[REASON_ACL_ENTRY] = { "acl-entry", "an entry of the ACL names the process and grants less",
		"Where an ACL has an entry for a user, the entry decides; the bits for group and others do not "
		"matter any more. The same holds for members of named groups when none of their entries grants "
		"enough.",
		"chmod o+w" },
	[REASON_ACL_WRONG_ID] = { "acl-wrong-id",
		"the ACL names the container's number, and the kernel sees the host's",
		"ACLs hold ids of the host. An entry that was written on the host for user 1000 means user 1000 "
		"of the host; the container's user 1000 is one of your subordinate ids there, for example 100999. "
		"Write the entry for that one.",
		NULL },
	[REASON_GROUP_DROPPED] = { "group-dropped", "you get in as member of a group that containers drop",
		"You may do this on the host because a supplementary group of yours may. A container's process "
		"starts without your supplementary groups: they have no number in the container. --group-add "
		"keep-groups lets the process keep them, for whatever user it runs as.",
		"--group-add with the number of the group, --privileged, --userns=keep-id" },
	[REASON_UNMAPPED_OWNER] = { "unmapped-owner", "its owner is nobody whom the container can be",
		"The owner has no number in the container's id map; he is shown as 65534 (nobody). Capabilities "
		"of the container count only over files whose owner and group are mapped: root in the container "
		"is not root here. Whoever owns the file, or the administrator, can grant the access.",
		"--privileged, --cap-add, :U, running as root" },
	[REASON_CAP_INERT] = { "cap-inert", "the capability is there, and does not count for this file",
		"Root in a container passes over modes by the capability DAC_OVERRIDE, and the kernel lets that "
		"count only where both the owner and the group of the file are mapped in the container. Here one "
		"of them is not.",
		"--privileged, --cap-add DAC_OVERRIDE, --cap-add ALL" },
	[REASON_CAP_DROPPED] = { "cap-dropped",
		"root in the container lacks the capability that would pass over the mode",
		"The container's root usually passes over modes by the capability DAC_OVERRIDE (for reading and "
		"searching DAC_READ_SEARCH is enough). --cap-drop took it away, so root is a user like any other "
		"here.",
		NULL },
	[REASON_SUBUID_OWNED] = { "subuid-owned", "it was made by a user of a container",
		"Files that a container's user other than root makes belong to one of your subordinate ids on the "
		"host. You are not that user, so you may neither write nor delete them directly. In your "
		"rootless namespace you are root over them: `bryo unshare COMMAND` runs a command there.",
		"sudo, which takes more rights than this needs" },
	[REASON_OTHER_OWNER] = { "other-owner", "it belongs to another user of this machine",
		"Neither you nor any of your subordinate ids own it, and its mode does not let others do this.",
		"bryo unshare" },

	[REASON_NOT_OWNER] = { "not-owner", "only the owner may do this",
		"The mode and the times of a file are changed by its owner, or with the capability FOWNER where "
		"the owner is mapped in the container. Write access is not enough.",
		"chmod g+w" },
	[REASON_CHOWN_DENIED] = { "chown-denied", "giving a file away needs the capability CHOWN over it",
		"Only CAP_CHOWN lets a process change the owner of a file, and only where its owner and group are "
		"both mapped. An owner may change the group to one of his own.",
		NULL },
	[REASON_CHOWN_UNMAPPED] = { "chown-unmapped",
		"the new owner does not exist in the container's id map",
		"A file can be given only to ids that have a number outside. The container's map ends before this "
		"one, or leaves it out, and the kernel answers EINVAL.",
		"--privileged, --cap-add CHOWN" },
	[REASON_CREATE_UNMAPPED] = { "create-unmapped",
		"who makes a file there must have a number in that file system",
		"A file system that was mounted in a user namespace, or that shows other ids, takes files only of "
		"users whom it has numbers for; the kernel answers EOVERFLOW.",
		NULL },
	[REASON_STICKY] = { "sticky", "in a sticky directory only the owner removes or renames a file",
		"The directory has the sticky bit, as /tmp has. Entries are removed and renamed there by their "
		"owner, by the owner of the directory, or with the capability FOWNER where owner and group of the "
		"entry are mapped.",
		NULL },
	[REASON_IMMUTABLE] = { "immutable", "it is marked immutable (chattr +i)",
		"Nobody changes, removes or links an immutable file, whatever the mode says. Only the machine's "
		"root takes the mark away: chattr -i.",
		"--privileged, --cap-add LINUX_IMMUTABLE, chmod, chown" },
	[REASON_APPEND_ONLY] = { "append-only", "it is marked append-only (chattr +a)",
		"The file is only written at its end, and neither removed, renamed nor changed in mode and owner. "
		"Only the machine's root takes the mark away: chattr -a.",
		"--privileged" },
	[REASON_BUSY_MOUNT] = { "busy-mount", "something is mounted there",
		"A mount point is neither removed nor replaced by renaming. Editors and many programs write a new "
		"file and rename it over the old one, which fails with EBUSY where a single file is mounted. "
		"Mount the directory that contains it instead.",
		NULL },
	[REASON_PROTECTED_HARDLINK] = { "protected-hardlink",
		"hard links to files of others are not made here",
		"With fs.protected_hardlinks the kernel lets users link only what they own, or regular files that "
		"they may read and write and that have no set-id bit.",
		NULL },
	[REASON_PROTECTED_SYMLINK] = { "protected-symlink",
		"links of others in a sticky directory are not followed",
		"With fs.protected_symlinks a link in a sticky directory that everybody may write to is followed "
		"only by its owner, or when it belongs to the directory's owner.",
		NULL },
	[REASON_PROTECTED_REGULAR] = { "protected-regular",
		"files of others in a sticky directory are not opened for creating",
		"With fs.protected_regular the kernel refuses to open an existing file of somebody else with "
		"O_CREAT in a sticky directory that others may write to.",
		NULL },
	[REASON_PROTECTED_FIFO] = { "protected-fifo",
		"pipes of others in a sticky directory are not opened for creating",
		"With fs.protected_fifos the kernel refuses to open an existing pipe of somebody else with "
		"O_CREAT in a sticky directory that others may write to.",
		NULL },
	[REASON_MKNOD_DEVICE] = { "mknod-device", "device nodes are not made without the machine's root",
		"Making a character or block device needs CAP_MKNOD over the whole machine, which no rootless "
		"container has. Devices of the host are shown to a container with --device.",
		"--cap-add MKNOD, --privileged" },
	[REASON_CROSS_MOUNT] = { "cross-mount", "the two places are different mounts",
		"Renaming and hard links do not lead from one mount to another, not even when both show the same "
		"file system: EXDEV. mv copies in that case.",
		NULL },

	[REASON_MOUNT_RO] = { "mount-ro", "it is mounted read-only for this container",
		"The volume was asked for with ro.", "chmod, chown, --privileged" },
	[REASON_HOST_MOUNT_RO] = { "host-mount-ro", "the disk itself is mounted read-only on the host",
		"A flag of the host's mount is locked for everybody without the machine's root: a container sees "
		"it read-only, too, whatever its options say.",
		":rw, --privileged, chmod" },
	[REASON_ROOT_RO] = { "root-ro", "the container's root file system is read-only",
		"The container was started with --read-only. /run, /tmp and /var/tmp are writable then; other "
		"places are given with --tmpfs or -v.",
		"chmod, running as root" },
	[REASON_MASKED_PATH] = { "masked-path", "it is hidden from containers",
		"Some files of /proc and /sys tell or change too much of the machine; containers see an empty "
		"file or directory in their place.",
		"--cap-add" },
	[REASON_READONLY_PATH] = { "readonly-path", "this part of /proc or /sys is read-only for containers",
		"Settings of the kernel are mounted read-only in containers. Those that belong to the container "
		"(net.*, some of kernel.*) are set at its start with --sysctl.",
		"--cap-add SYS_ADMIN, running as root" },
	[REASON_SYSCTL_DENIED] = { "sysctl-denied",
		"this setting of the kernel is not the container's to change",
		"Most of /proc/sys belongs to the whole machine and is writable for its root only. Settings of "
		"the network belong to the network's namespace and need NET_ADMIN there.",
		"running as root" },
	[REASON_MOUNT_NOEXEC] = { "mount-noexec", "it is mounted so that nothing on it can be executed",
		"The volume was asked for with noexec. Interpreters can still read scripts from it: sh FILE.",
		"chmod +x" },
	[REASON_HOST_MOUNT_NOEXEC] = { "host-mount-noexec", "the disk itself is mounted noexec on the host",
		"A flag of the host's mount is locked for everybody without the machine's root: nothing on it is "
		"executed in a container either, whatever its options say.",
		":exec, chmod +x, --privileged" },
	[REASON_NO_EXEC_BIT] = { "no-exec-bit", "the file is not marked as executable",
		"Without any x in its mode nobody executes a file, root included.", "running as root, --cap-add "
		"DAC_OVERRIDE" },
	[REASON_NODEV] = { "nodev", "device nodes do not work on this mount",
		"The mount has the flag nodev (named volumes and tmpfs have it), or it was made inside of a user "
		"namespace, where nodes never work. Devices of the host are shown to a container with --device.",
		"--privileged, chmod" },
	[REASON_FUSE_PRIVATE] = { "fuse-private", "this FUSE file system lets in nobody but who mounted it",
		"Without the option allow_other a FUSE file system is closed to all other ids of the host, root "
		"included, and the container's users other than root are such ids.",
		"chmod, setfacl, --cap-add" },
	[REASON_NETWORK_OWNER] = { "network-owner", "the file server knows nothing of your subordinate ids",
		"On NFS and CIFS the server decides who may do what, and to it a subordinate id is a stranger "
		"whose capabilities mean nothing. Let the files be used by your own id (--userns=keep-"
		"id:uid=,gid=) or keep them on a local disk.",
		":U, unshare chown, --cap-add" },

	[REASON_SELINUX_LABEL] = { "selinux-label", "its SELinux label is not one that containers may use",
		"The policy of SELinux lets containers touch what is labelled container_file_t, with their own "
		"categories or none. :z gives a volume a label that all containers may use, :Z one for this "
		"container. Never relabel a home directory or a part of the system.",
		"chmod, chown, --userns=keep-id" },
	[REASON_APPARMOR_PROFILE] = { "apparmor-profile",
		"the AppArmor profile of the process has the last word",
		"A profile was asked for; what it forbids is in the machine's log (apparmor=\"DENIED\").",
		"chmod, chown" },

	[REASON_MISSING] = { "missing", "it does not exist", "A component of the path is not there.", NULL },
	[REASON_ABSOLUTE_LINK] = { "absolute-link",
		"a link leads to a place that the container does not have",
		"A link that begins with / starts from the root of whoever follows it. In a volume it starts from "
		"the container's root, where the host's directory is not. Make the link relative, or mount its "
		"target at the same path.",
		NULL },
	[REASON_NOT_A_DIRECTORY] = { "not-a-directory",
		"a part of the path is not a directory",
		"A file stands where the path goes on.",
		NULL },
	[REASON_LINK_LOOP] = { "link-loop",
		"its links lead round in a circle",
		"More than 40 links were followed.",
		NULL },
	[REASON_EXISTS] = { "exists", "it is there already", "What is to be made exists.", NULL },
	[REASON_IS_DIRECTORY] = { "is-directory",
		"it is a directory",
		"A directory is not opened for writing, executed or unlinked.",
		NULL },
	[REASON_NOT_A_SOCKET] = { "not-a-socket",
		"it is no socket",
		"Nobody can be connected to over this file: ECONNREFUSED.",
		NULL },
	[REASON_NOT_A_FILE] = { "not-a-file", "it is no regular file",
		"Pipes, sockets and devices have no length that could be cut: EINVAL.", NULL },

	[REASON_SOURCE_MISSING] = { "source-missing", "the host directory of a volume does not exist",
		"A volume with a path needs the path to exist. Create it first, or use a name instead of a path "
		"for a volume that bryo makes.", NULL },
	[REASON_SOURCE_UNREACHABLE] = { "source-unreachable",
		"you cannot reach the host directory of a volume",
		"The directory is mounted with your own rights: you need to be able to search every directory "
		"above it. (The container's users do not: they come in by the mount.)",
		NULL },

	[REASON_USERNS_DISABLED] = { "userns-disabled", "user namespaces are switched off on this machine",
		"user.max_user_namespaces is 0, or kernel.unprivileged_userns_clone is. Rootless containers need "
		"them; the administrator switches them on.",
		NULL },
	[REASON_USERNS_APPARMOR] = { "userns-apparmor",
		"AppArmor keeps user namespaces from programs without a profile",
		"kernel.apparmor_restrict_unprivileged_userns is 1: a profile with the rule `userns,` for the "
		"program's path is needed; the packages of bryo bring one.",
		NULL },
	[REASON_USERNS_REFUSED] = { "userns-refused", "the kernel refuses a user namespace",
		"A seccomp filter, a chroot or a security module does not let this process make one; that is "
		"common inside of other containers.",
		NULL },
	[REASON_NEWUIDMAP_MISSING] = { "newuidmap-missing", "newuidmap and newgidmap are not installed",
		"They are the programs that give a user his subordinate ids; package uidmap or shadow-utils.", NULL },
	[REASON_NEWUIDMAP_UNPRIVILEGED] = { "newuidmap-unprivileged", "newuidmap has no privilege",
		"Its setuid bit or its file capabilities are lost, or have no effect because its file system is "
		"mounted nosuid.", NULL },
	[REASON_NO_SUBIDS] = { "no-subids", "you have no subordinate ids",
		"Without lines in /etc/subuid and /etc/subgid only one user exists in a container: root, who is "
		"you.", NULL },
	[REASON_SUBID_OWN_ID] = { "subid-own-id", "your range of subordinate ids contains your own id",
		"The kernel maps an id once. Choose a range that contains no user of this machine.", NULL },
	[REASON_SUBID_OVERLAP] = { "subid-overlap",
		"your range of subordinate ids overlaps that of another user",
		"Both of you would be root over the other's containers.", NULL },
	[REASON_SUBID_STALE] = { "subid-stale",
		"your subordinate ids changed after the rootless namespace was made",
		"The namespace that runs keeps its map. It is made anew when no container runs: bryo system "
		"migrate.", NULL },
	[REASON_IMAGE_OUT_OF_RANGE] = { "image-out-of-range", "the image has files of ids beyond your range",
		"Its highest id needs a number on the host, and your range of subordinate ids ends before it.", NULL },
	[REASON_USER_OUT_OF_RANGE] = { "user-out-of-range", "the user's id is beyond the id map",
		"The container's map has no number on the host for it: the range of subordinate ids is too small, "
		"or the map that was asked for leaves it out.",
		NULL },

	[REASON_KEEP_ID_USER] = { "keep-id-user", "keep-id keeps your id, and the image runs as another user",
		"--userns=keep-id maps your own number to itself. An image with USER 999 still runs as 999, who "
		"is a subordinate id. --userns=keep-id:uid=999,gid=999 lets you be that user.",
		NULL },
	[REASON_FILE_MOUNT] = { "file-mount", "a single file is mounted",
		"Programs that replace it by renaming get EBUSY, and a file that the host replaces is not seen in "
		"the container. Mount the directory.", NULL },
	[REASON_SET_ID_INERT] = { "set-id-inert", "set-id programs have no effect here",
		"The mount has nosuid, or the process no_new_privileges: the program runs, as whoever started it.",
		NULL },

	[REASON_CANNOT_TELL] = { "cannot-tell", "something that decides could not be looked at",
		"bryo looks as you and as root of your rootless namespace. What neither may see is left open.", NULL },
};

const struct reason_text *reason_text(enum reason r)
{
	return &texts[r < REASON_COUNT ? r : REASON_CANNOT_TELL];
}

const char *reason_code(enum reason r)
{
	return reason_text(r)->code;
}

enum reason reason_find(const char *code)
{
	enum reason r = 0;

	while (r < REASON_COUNT && !str_eq(texts[r].code, code))
r++;
	return r;
}
