/* scratch - a directory of the target's own, gone with the process; files in it have at most 64 MiB */
#ifndef BRYO_FUZZ_SCRATCH_H
#define BRYO_FUZZ_SCRATCH_H

/* The same descriptor each time. */
int scratch_open(void);

#endif
