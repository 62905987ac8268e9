/* hostlib/hostlib - what only libraries of the host can do, asked of a program apart
 *
 * libseccomp, libsystemd, libsubid and the modules of the name service are loaded at run time, from wherever the host
 * has them. Only a dynamically linked program can do that, and it pays for it at each start; so bryo, which seldom needs
 * one of them, leaves it to bryo-hostlib. That is started for one call: its argument is the call's name, on its standard
 * input is the request, a JSON text, and it answers on its standard output with a struct error and, when that is empty,
 * a JSON text. What the libraries have to say goes to standard error. It ends with its parent. */
#ifndef BRYO_HOSTLIB_HOSTLIB_H
#define BRYO_HOSTLIB_HOSTLIB_H

#include "base/json.h"
#include "spec/oci_runtime.h"

#define HOSTLIB_PROGRAM "bryo-hostlib"

enum hostlib_call {
	HOSTLIB_COMPILE_FILTER,		/* hostlib_rules -> hostlib_filter */
	HOSTLIB_DESCRIBE_SECCOMP,	/* nothing -> hostlib_seccomp */
	HOSTLIB_START_UNIT,		/* hostlib_unit -> nothing: a transient scope; waits until it is there (30 s) */
	HOSTLIB_SET_UNIT,		/* hostlib_unit -> nothing: changes properties of a running one */
	HOSTLIB_ATTACH_TO_UNIT,		/* hostlib_unit -> nothing: moves the process `pid` into its cgroup `below` */
	HOSTLIB_STOP_UNIT,		/* hostlib_unit -> nothing: waits until it is gone (30 s); 0 when there is none */
	HOSTLIB_ACCOUNT,		/* hostlib_who.uid -> hostlib_account */
	HOSTLIB_SUBORDINATE_IDS,	/* hostlib_who.name -> hostlib_ranges */
	HOSTLIB_CALLS
};

/* A seccomp section to compile. */
struct hostlib_rules {
	struct oci_seccomp *rules;
	char *name, *where;		/* for complaints: of the whole, and in front of a member's position */
	ARRAY(uint64_t) numbers;	/* of the rules in the file they were chosen from; empty: their index */
	bool known_only;		/* a system call that libseccomp does not know is an error */
	uint64_t seconds;		/* of the processor, at most */
};
#define HOSTLIB_INSTRUCTIONS_MAX 8192	/* twice what the kernel takes: bryo may make it shorter */
struct hostlib_filter {
	ARRAY(uint64_t) instructions;	/* struct sock_filter, each as the 8 bytes that it is */
	char *libseccomp;		/* the file of the libseccomp that made them */
	uint64_t newest;		/* the highest number of a listed call when all others are refused, else 0 */
};
struct hostlib_seccomp {
	char *version;			/* "2.5.4" */
	struct strings architectures;
};

/* A unit of systemd. */
struct hostlib_property {
	char *name, *signature;
	/* What builds the value, by the D-Bus type in the first letter: "a(sv)" and "rsv" open an array or a structure
	 * with this signature inside, ")" closes it, "u17" is a number (two's complement, for "d" the bits), "stext" a
	 * text. */
	struct strings steps;
	bool demanded;			/* a systemd that does not know it is an error; others are left out then */
};
struct hostlib_unit {
	bool user;			/* of the user's systemd */
	char *name;
	ARRAY(struct hostlib_property) properties;
	uint64_t pid;
	char *below;
};

struct hostlib_who {
	uint64_t uid;
	char *name;
};
struct hostlib_account {
	char *name, *home;		/* NULL: there is none */
};
struct hostlib_ranges {
	ARRAY(uint64_t) uids, gids;	/* first, count, first, count, ... */
};

/* The two sides' view of a call. */
struct hostlib_form {
	const char *name;
	const struct json_shape *request, *answer;	/* NULL: there is nothing to say */
};
extern const struct hostlib_form hostlib_forms[HOSTLIB_CALLS];

/* Starts the program and waits for its answer. ret_signal may be NULL; otherwise it gets the signal that ended the
 * program without an answer, 0 for every other error. */
int hostlib_ask(struct arena *arena, enum hostlib_call call, const void *request, void *ret_answer, int *ret_signal,
		struct error *err);

#endif
