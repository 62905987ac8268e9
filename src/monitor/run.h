/* monitor/run - the monitor's work, for bryo-monitor and for the bryo process that would have become it
 *
 * bryo itself runs it only for a container that has ended already: then a program whose memory counts beside a running
 * container need not be started for what is left to do. */
#ifndef BRYO_MONITOR_RUN_H
#define BRYO_MONITOR_RUN_H

#include "sys/attach.h"

/* Never returns: leaves with the container's end recorded, or becomes `bryo` where something is left to do. Closes every
 * descriptor that the configuration does not name. release_code (or NULL) gives back what idle waiting does not need. */
void monitor_run(const struct monitor_config *config, void (*release_code)(void)) __attribute__((noreturn));

#endif
