#!/usr/bin/env python3
"""seccomp-receiver - answers the system calls that seccomp filters notify about

usage: seccomp-receiver SOCKET MESSAGES
Each container process state that it is sent becomes a line of the file MESSAGES. getppid answers 4242, everything else
goes on.
"""
import array, fcntl, json, os, select, socket, struct, sys

RECV, SEND, CONTINUE = 0xC0502100, 0xC0182101, 1
GETPPID = {"x86_64": 110, "aarch64": 173, "riscv64": 173}[os.uname().machine]
NOTIFICATION, RESPONSE = struct.Struct("=QII iIQ6Q"), struct.Struct("=QqiI")


def state(connection):
    text, ancillary, _, _ = connection.recvmsg(1 << 20, socket.CMSG_SPACE(4))
    listener = array.array("i", ancillary[0][2])[0]
    while more := connection.recv(1 << 20):
        text += more
    return json.loads(text), listener


def answer(listener):
    buffer = bytearray(NOTIFICATION.size)
    fcntl.ioctl(listener, RECV, buffer)
    number, call = NOTIFICATION.unpack(buffer)[0], NOTIFICATION.unpack(buffer)[3]
    value = (4242, 0, 0) if call == GETPPID else (0, 0, CONTINUE)
    fcntl.ioctl(listener, SEND, RESPONSE.pack(number, *value))


server = socket.socket(socket.AF_UNIX)
server.bind(sys.argv[1])
server.listen()
poll = select.poll()
poll.register(server, select.POLLIN)
while True:
    for fd, event in poll.poll():
        if fd != server.fileno():
            if event & select.POLLIN:
                answer(fd)
            else:
                poll.unregister(fd)
                os.close(fd)
            continue
        connection, _ = server.accept()
        with connection, open(sys.argv[2], "a") as messages:
            message, listener = state(connection)
            print(json.dumps(message), file=messages)
        poll.register(listener, select.POLLIN)
