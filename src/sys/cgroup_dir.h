/* sys/cgroup_dir - where the unified hierarchy is mounted; shared by the parts of sys/cgroup */
#ifndef BRYO_SYS_CGROUP_DIR_H
#define BRYO_SYS_CGROUP_DIR_H

#define CGROUP_ROOT "/sys/fs/cgroup"

#endif
