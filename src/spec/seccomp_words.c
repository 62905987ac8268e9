#include "spec/seccomp_words.h"

#include <linux/seccomp.h>
#include <seccomp.h>

#include "base/string.h"

#define ERRNO_MAX 4094		/* the kernel cuts at 4095, libseccomp below it */

const struct seccomp_word seccomp_words_actions[] = {
	{ "SCMP_ACT_ALLOW", SECCOMP_RET_ALLOW, 0 },
	{ "SCMP_ACT_ERRNO", SECCOMP_RET_ERRNO, ERRNO_MAX },
	{ "SCMP_ACT_KILL", SECCOMP_RET_KILL_THREAD, 0 },
	{ "SCMP_ACT_KILL_PROCESS", SECCOMP_RET_KILL_PROCESS, 0 },
	{ "SCMP_ACT_KILL_THREAD", SECCOMP_RET_KILL_THREAD, 0 },
	{ "SCMP_ACT_LOG", SECCOMP_RET_LOG, 0 },
	{ "SCMP_ACT_NOTIFY", SECCOMP_RET_USER_NOTIF, 0 },
	{ "SCMP_ACT_TRACE", SECCOMP_RET_TRACE, UINT16_MAX },
	{ "SCMP_ACT_TRAP", SECCOMP_RET_TRAP, 0 },
	{ 0 },
};

const struct seccomp_word seccomp_words_operators[] = {
	{ "SCMP_CMP_EQ", SCMP_CMP_EQ, 0 },
	{ "SCMP_CMP_GE", SCMP_CMP_GE, 0 },
	{ "SCMP_CMP_GT", SCMP_CMP_GT, 0 },
	{ "SCMP_CMP_LE", SCMP_CMP_LE, 0 },
	{ "SCMP_CMP_LT", SCMP_CMP_LT, 0 },
	{ "SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ, 0 },
	{ "SCMP_CMP_NE", SCMP_CMP_NE, 0 },
	{ 0 },
};

const struct seccomp_word seccomp_words_flags[] = {
	{ "SECCOMP_FILTER_FLAG_LOG", SECCOMP_FILTER_FLAG_LOG, 0 },
	{ "SECCOMP_FILTER_FLAG_SPEC_ALLOW", SECCOMP_FILTER_FLAG_SPEC_ALLOW, 0 },
	{ "SECCOMP_FILTER_FLAG_TSYNC", SECCOMP_FILTER_FLAG_TSYNC, 0 },
	{ "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, 0 },
	{ 0 },
};

const struct seccomp_word seccomp_words_architectures[] = {
	{ "SCMP_ARCH_AARCH64", 0, 0 },	{ "SCMP_ARCH_ARM", 0, 0 },	{ "SCMP_ARCH_LOONGARCH64", 0, 0 },
	{ "SCMP_ARCH_M68K", 0, 0 },	{ "SCMP_ARCH_MIPS", 0, 0 },	{ "SCMP_ARCH_MIPS64", 0, 0 },
	{ "SCMP_ARCH_MIPS64N32", 0, 0 }, { "SCMP_ARCH_MIPSEL", 0, 0 },	{ "SCMP_ARCH_MIPSEL64", 0, 0 },
	{ "SCMP_ARCH_MIPSEL64N32", 0, 0 }, { "SCMP_ARCH_PARISC", 0, 0 }, { "SCMP_ARCH_PARISC64", 0, 0 },
	{ "SCMP_ARCH_PPC", 0, 0 },	{ "SCMP_ARCH_PPC64", 0, 0 },	{ "SCMP_ARCH_PPC64LE", 0, 0 },
	{ "SCMP_ARCH_RISCV64", 0, 0 },	{ "SCMP_ARCH_S390", 0, 0 },	{ "SCMP_ARCH_S390X", 0, 0 },
	{ "SCMP_ARCH_SH", 0, 0 },	{ "SCMP_ARCH_SHEB", 0, 0 },	{ "SCMP_ARCH_X32", 0, 0 },
	{ "SCMP_ARCH_X86", 0, 0 },	{ "SCMP_ARCH_X86_64", 0, 0 },	{ 0 },
};

const struct seccomp_word *seccomp_words_find(const struct seccomp_word *table, const char *name)
{
	for (; table->name; table++)
		if (str_eq(table->name, name))
			return table;
	return NULL;
}
