#!/usr/bin/env python3
"""range-proxy LISTEN REGISTRY BYTES LIE: passes requests on, writes the size of each blob's answer to the file BYTES, and does to
answers with ranges what the file LIE says: ignore-range, short, corrupt, refuse; moved (says another place); and of several ranges:
one-range (answers with all), first-only, more (with parts that nobody asked for), unbound (no boundaries), cut-once."""
import http.client, http.server, socketserver, sys

listen, registry, count, lie_file = sys.argv[1:5]

def lie():
    try:
        return open(lie_file).read().strip()
    except OSError:
        return ""

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    has_cut = False

    def do_GET(self):
        headers = {k: v for k, v in self.headers.items() if k.lower() not in ("host", "connection")}
        ranges = headers.get("Range", "")
        word = lie() if ranges else ""
        several = "," in ranges
        if word == "ignore-range" or (word == "one-range" and several):
            del headers["Range"]
        if word == "first-only":
            headers["Range"] = ranges.split(",")[0]
        c = http.client.HTTPConnection(registry)
        c.request(self.command, self.path, headers=headers)
        r = c.getresponse()
        body, status = r.read(), r.status
        if word == "corrupt" and len(body) > 100:
            body = body[:50] + bytes([body[50] ^ 1]) + body[51:]
        if word == "refuse":
            body, status = b"", 416
        if several and word in ("more", "unbound"):
            boundary = r.getheader("Content-Type").split("boundary=")[1].encode()
            part = b"--" + boundary + b"\r\nContent-Range: bytes 0-49999/50000\r\n\r\n" + b"x" * 50000 + b"\r\n"
            body = part * 1000 + body if word == "more" else body.replace(boundary, b"nothing")
        if "/blobs/" in self.path:
            with open(count, "a") as f:
                f.write("%d %s %s\n" % (len(body), self.path, ranges))
        self.send_response(status)
        for k, v in r.getheaders():
            if word == "moved" and k.lower() == "content-range":
                v = "bytes 7-" + v.split("-")[1]
            if k.lower() not in ("connection", "transfer-encoding", "content-length"):
                self.send_header(k, v.replace(registry, listen) if k.lower() == "location" else v)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if word == "short" or (word == "cut-once" and several and not Handler.has_cut):
            Handler.has_cut = True
            body = body[:len(body) // 2]
            self.close_connection = True
        if self.command != "HEAD":
            self.wfile.write(body)

    do_HEAD = do_GET

    def log_message(self, *args):
        pass

class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True

host, port = listen.rsplit(":", 1)
Server((host, int(port)), Handler).serve_forever()
