#!/usr/bin/env python3
"""gateway-talk - clients and servers of the gateway's tests; each prints one line.

Servers get the name of a file as their last argument, which they make when they listen."""
import errno, hashlib, os, select, socket, struct, sys, threading, time


def family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def name(e):
    return "timeout" if isinstance(e, TimeoutError) and not e.errno else errno.errorcode.get(e.errno, str(e))


def ready(path):
    open(path, "w").close()


# --- servers

def read_all(s):
    parts = []
    while part := s.recv(1 << 20):
        parts.append(part)
    return b"".join(parts)


def listener(address, port, backlog=4096):
    s = socket.socket(family(address), socket.SOCK_STREAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((address, int(port)))
    s.listen(backlog)
    return s


def answer_lines(c):
    while line := c.recv(4096):
        c.sendall(line)
    c.close()


def answer_once(c):
    c.sendall(c.recv(4096))
    c.close()


def answer_end(c):
    """Says how much came, after all has come."""
    data = read_all(c)
    c.sendall(f"{len(data)} {hashlib.sha256(data).hexdigest()}".encode())
    c.close()


def answer_late(c):
    """Lets the other side wait until nothing fits any more."""
    c.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    time.sleep(1.5)
    answer_end(c)


def answer_reset(c):
    c.recv(1)
    c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    c.close()


def answer_much(c):
    block = bytes(range(256)) * 4096
    for i in range(64):
        c.sendall(block)
    c.shutdown(socket.SHUT_WR)
    read_all(c)
    c.close()


def answer_peer(c):
    c.sendall(f"{c.getpeername()[0]}".encode())
    c.close()


def tcp(how, address, port, file):
    s = listener(address, port)
    ready(file)
    while True:
        c, _ = s.accept()
        threading.Thread(target=globals()["answer_" + how], args=(c,), daemon=True).start()


def udp_echo(address, port, file):
    s = socket.socket(family(address), socket.SOCK_DGRAM)
    s.bind((address, int(port)))
    ready(file)
    while True:
        data, peer = s.recvfrom(1 << 16)
        s.sendto(data, peer)


def dns_answer(how, query):
    if how == "silent":
        return None
    head = query[:2] + b"\x81\x80" + query[4:6] + b"\x00\x01\x00\x00\x00\x00"
    return head + query[12:] + b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04" + socket.inet_aton(how)


def dns(how, address, file):
    """how: the address that every name gets, or silent. By UDP and TCP."""
    u = socket.socket(family(address), socket.SOCK_DGRAM)
    u.bind((address, 53))
    t = listener(address, 53)
    ready(file)
    while True:
        for s in select.select([u, t], [], [])[0]:
            if s is u:
                query, peer = u.recvfrom(65536)
                if reply := dns_answer(how, query):
                    u.sendto(reply, peer)
            else:
                c, _ = t.accept()
                query = c.recv(65536)[2:]
                if reply := dns_answer(how, query):
                    c.sendall(struct.pack("!H", len(reply)) + reply)
                c.close()


# --- clients

def connect(address, port, timeout="5"):
    s = socket.socket(family(address), socket.SOCK_STREAM)
    s.settimeout(float(timeout))
    try:
        s.connect((address, int(port)))
        return "connected"
    except OSError as e:
        return name(e)


def line(address, port, text="hello", timeout="5"):
    try:
        with socket.create_connection((address, int(port)), timeout=float(timeout)) as s:
            s.sendall(text.encode())
            s.shutdown(socket.SHUT_WR)
            return read_all(s).decode()
    except OSError as e:
        return name(e)


def same_port(address, port, own, times):
    """One connection after the other from the same port, which the server ends: its side has to wait for its time to go by."""
    for _ in range(int(times)):
        with socket.socket(family(address), socket.SOCK_STREAM) as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            s.bind(("", int(own)))
            s.settimeout(10)
            try:
                s.connect((address, int(port)))
                s.sendall(b"x")
                if read_all(s) != b"x":
                    return "something else"
            except OSError as e:
                return name(e)
    return "all"


def send(address, port, size):
    """Sends so much, ends, and says whether the server read the same, with its answer after the end."""
    data = os.urandom(1 << 20) * (int(size) >> 20) + b"x" * (int(size) & 0xfffff)
    with socket.create_connection((address, int(port)), timeout=60) as s:
        s.sendall(data)
        s.shutdown(socket.SHUT_WR)
        return "the same" if read_all(s).decode() == f"{len(data)} {hashlib.sha256(data).hexdigest()}" else "not the same"


def drip(address, port, count):
    """The same in pieces of 1001 bytes, one after the other."""
    piece = os.urandom(1001)
    with socket.create_connection((address, int(port)), timeout=60) as s:
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for i in range(int(count)):
            s.sendall(piece)
            time.sleep(0.0001)
        s.shutdown(socket.SHUT_WR)
        data = piece * int(count)
        return "the same" if read_all(s).decode() == f"{len(data)} {hashlib.sha256(data).hexdigest()}" else "not the same"


def receive(address, port, pause="0"):
    with socket.create_connection((address, int(port)), timeout=60) as s:
        time.sleep(float(pause))
        data = read_all(s)
    return "the same" if data == bytes(range(256)) * 4096 * 64 else f"not the same: {len(data)}"


def reset(address, port):
    """The server resets the connection after one byte."""
    with socket.create_connection((address, int(port)), timeout=10) as s:
        s.sendall(b"x")
        try:
            return f"end {s.recv(1)!r}"
        except OSError as e:
            return name(e)


def hold(address, port, count, file):
    """Keeps connections open until they end; says how."""
    sockets = [socket.create_connection((address, int(port)), timeout=10) for i in range(int(count))]
    ready(file)
    ends = set()
    for s in sockets:
        s.settimeout(30)
        try:
            ends.add("end" if s.recv(1) == b"" else "data")
        except OSError as e:
            ends.add(name(e))
    return " ".join(sorted(ends))


def many(address, port, count, parallel):
    """Short connections, one after the other in each of so many threads."""
    left, bad, lock = [int(count)], {}, threading.Lock()

    def work():
        while True:
            with lock:
                if left[0] <= 0:
                    return
                left[0] -= 1
            answer = line(address, port, "x", "20")
            if answer != "x":
                with lock:
                    bad[answer] = bad.get(answer, 0) + 1

    threads = [threading.Thread(target=work) for i in range(int(parallel))]
    [t.start() for t in threads]
    [t.join() for t in threads]
    return "all" if not bad else str(bad)


def flood(address, first, count):
    """Begins connections that nobody answers, and gives none up."""
    sockets = []
    for i in range(int(count)):
        s = socket.socket(family(address), socket.SOCK_STREAM)
        s.setblocking(False)
        s.connect_ex((address, int(first) + i % 20000))
        sockets.append(s)
    print("begun", flush=True)
    time.sleep(60)


def udp(address, port, size="5", timeout="3"):
    s = socket.socket(family(address), socket.SOCK_DGRAM)
    s.settimeout(float(timeout))
    try:
        s.connect((address, int(port)))
        data = os.urandom(int(size))
        s.send(data)
        return "the same" if s.recv(1 << 17) == data else "not the same"
    except OSError as e:
        return name(e)


def segments(address, port):
    """Ten datagrams in one call, cut by the kernel (UDP_SEGMENT); what comes back."""
    s = socket.socket(family(address), socket.SOCK_DGRAM)
    s.settimeout(5)
    s.connect((address, int(port)))
    s.setsockopt(socket.SOL_UDP if hasattr(socket, "SOL_UDP") else 17, 103, 1000)
    s.send(b"x" * 10000)
    sizes = [len(s.recv(65536)) for i in range(10)]
    return f"{len(sizes)} of {sizes[0]}" if len(set(sizes)) == 1 else str(sizes)


def spray(address, count):
    """One datagram to each of so many ports."""
    s = socket.socket(family(address), socket.SOCK_DGRAM)
    for i in range(int(count)):
        try:
            s.sendto(b"x", (address, 1024 + i % 60000))
        except OSError:
            pass
    return "sent"


def question(text, number=0x1234):
    labels = b"".join(bytes([len(part)]) + part.encode() for part in text.split("."))
    return struct.pack("!HHHHHH", number, 0x0100, 1, 0, 0, 0) + labels + b"\0\0\1\0\1"


def verdict(reply):
    code = reply[3] & 15
    return socket.inet_ntoa(reply[-4:]) if code == 0 else f"code {code}"


def lookup(address, text, how="udp"):
    q = question(text, int.from_bytes(os.urandom(2), "big"))
    for attempt in range(4):
        s = socket.socket(family(address), socket.SOCK_STREAM if how == "tcp" else socket.SOCK_DGRAM)
        s.settimeout(5)
        try:
            s.connect((address, 53))
            s.sendall(struct.pack("!H", len(q)) + q if how == "tcp" else q)
            reply = read_all(s)[2:] if how == "tcp" else s.recv(65536)
            return verdict(reply) if reply[:2] == q[:2] else "another's answer"
        except OSError as e:
            result = name(e)
    return result


def garbage(address, count):
    """Malformed questions; then whether a good one is still answered."""
    s = socket.socket(family(address), socket.SOCK_DGRAM)
    for i in range(int(count)):
        s.sendto(os.urandom(i % 1400), (address, 53))
        s.sendto(question("a.example")[: i % 24], (address, 53))
    return lookup(address, "a.example")


def raw(what, source, target, count="1"):
    """Packets as no kernel makes them: segments without a connection, rubbish with an IP header. Says what comes back."""
    s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP)
    s.settimeout(5)
    sender = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    for i in range(int(count)):
        if what == "ack":
            body = struct.pack("!HHIIBBHHH", 4444, 80, 1, 7, 5 << 4, 16, 1000, 0, 0)
        elif what == "syn":
            body = struct.pack("!HHIIBBHHH", 1024 + i % 60000, 80, i, 0, 5 << 4, 2, 1000, 0, 0)
        else:
            body = os.urandom(i % 200)
        protocol = 6 if what != "rubbish" else (1, 6, 17, 58, 4)[i % 5]
        if what in ("ack", "syn"):
            pseudo = socket.inet_aton(source) + socket.inet_aton(target) + struct.pack("!BBH", 0, 6, len(body))
            words = pseudo + body
            total = sum(struct.unpack(f"!{len(words) // 2}H", words))
            total = (total & 0xffff) + (total >> 16)
            total = (total & 0xffff) + (total >> 16)
            body = body[:16] + struct.pack("!H", ~total & 0xffff) + body[18:]
        head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(body), 0, 0, 64, protocol, 0, socket.inet_aton(source),
                           socket.inet_aton(target))
        sender.sendto(head + body, (target, 0))
    if what != "ack":
        return "sent"
    while True:
        packet = s.recv(65536)
        segment = packet[20:]
        if struct.unpack("!HH", segment[:4]) == (80, 4444):
            return "reset" if segment[13] & 4 and struct.unpack("!I", segment[4:8])[0] == 7 else "something else"


if __name__ == "__main__":
    what = sys.argv[1]
    if what.startswith("tcp-"):
        tcp(what[4:], *sys.argv[2:])
    else:
        result = globals()[what.replace("-", "_")](*sys.argv[2:])
        print(result)
