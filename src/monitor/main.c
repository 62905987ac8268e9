/* The program: takes its configuration from the descriptor that argv names. */
#include <link.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

#include "monitor/monitor.h"

static int read_config(struct monitor_config *c, int fd)
{
	if (pread(fd, c, sizeof(*c), 0) != (ssize_t)sizeof(*c) || c->magic != MONITOR_CONFIG_MAGIC ||
	    c->size != sizeof(*c))
		return -1;
	c->id[sizeof(c->id) - 1] = c->log_name[sizeof(c->log_name) - 1] = 0;
	c->bryo[sizeof(c->bryo) - 1] = c->event[sizeof(c->event) - 1] = 0;
	close(fd);
	return 0;
}

/* The program's own code and constants, of which the kernel maps far more around each fault than the waiting loop
 * needs: what is needed comes back from the page cache. The segments are taken from the program headers; the program
 * is linked at fixed addresses. */
static void release_code(void)
{
	const ElfW(Phdr) *header = (const ElfW(Phdr) *)getauxval(AT_PHDR);

	for (unsigned long n = getauxval(AT_PHNUM); n > 0; n--, header++) {
		uintptr_t begin = header->p_vaddr & ~(uintptr_t)4095;

		if (header->p_type == PT_LOAD && !(header->p_flags & PF_W))
			madvise((void *)begin, header->p_vaddr + header->p_filesz - begin, MADV_DONTNEED);
	}
}

static int parse_descriptor(const char *s)
{
	int fd = 0;

	for (; *s >= '0' && *s <= '9' && fd < 1000000; s++)
		fd = fd * 10 + (*s - '0');
	return *s ? -1 : fd;
}

int main(int argc, char **argv)
{
	static const char usage[] = "bryo-monitor is started by bryo\n";
	static struct monitor_config config;

	if (argc != 2 || read_config(&config, parse_descriptor(argv[1])) < 0)
		return write(2, usage, sizeof(usage) - 1) < 0 ? 1 : 125;
	monitor_run(&config, release_code);
}
