/* sys/gateway - what the gateway of the rootless network namespace and those who start or use it agree on */
#ifndef BRYO_SYS_GATEWAY_H
#define BRYO_SYS_GATEWAY_H

#define GATEWAY_INTERFACE "out0"
#define GATEWAY_MTU 65520			/* of bridges and containers: all of the kernel's devices take it */
/* What containers reach through it besides the world: a forwarder to the host's name servers (UDP and TCP, port 53), also
 * to those on the host's loopback, and the host itself, by its own address: host.containers.internal. */
#define GATEWAY_DNS "169.254.1.1"
#define GATEWAY_HOST "169.254.1.2"
#define GATEWAY_DNS6 "fd62:7279:6f00::1"
#define GATEWAY_HOST6 "fd62:7279:6f00::2"
/* out0's own addresses: programs in the namespace itself (a resolver of names) send from these. */
#define GATEWAY_OWN "169.254.1.3"
#define GATEWAY_OWN6 "fd62:7279:6f00::3"
#define GATEWAY_OWN_NET6 "fd62:7279:6f00::"
#define GATEWAY_MARK 0x6272			/* of packets of transparent sockets; also their routing table */
#define GATEWAY_PORT 6272			/* where its transparent sockets listen, on the namespace's loopback */

#endif
