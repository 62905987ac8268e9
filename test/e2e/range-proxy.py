#!/usr/bin/env python3
"""range-proxy LISTEN REGISTRY BYTES LIE: passes requests on, writes the size of each blob's answer to the file BYTES, and does to
answers with ranges what the file LIE says: ignore-range, short, corrupt, refuse."""
import http.client, http.server, socketserver, sys

listen, registry, count, lie_file = sys.argv[1:5]

def lie():
    try:
        return open(lie_file).read().strip()
    except OSError:
        return ""

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        headers = {k: v for k, v in self.headers.items() if k.lower() not in ("host", "connection")}
        ranged = "Range" in headers
        word = lie() if ranged else ""
        if word == "ignore-range":
            del headers["Range"]
        c = http.client.HTTPConnection(registry)
        c.request(self.command, self.path, headers=headers)
        r = c.getresponse()
        body, status = r.read(), r.status
        if word == "corrupt" and len(body) > 100:
            body = body[:50] + bytes([body[50] ^ 1]) + body[51:]
        if word == "refuse":
            body, status = b"", 416
        self.send_response(status)
        for k, v in r.getheaders():
            if k.lower() not in ("connection", "transfer-encoding", "content-length"):
                self.send_header(k, v.replace(registry, listen) if k.lower() == "location" else v)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if word == "short":
            body = body[:len(body) // 2]
            self.close_connection = True
        if self.command != "HEAD":
            self.wfile.write(body)
        if "/blobs/" in self.path:
            with open(count, "a") as f:
                f.write("%d %s %s\n" % (len(body), self.path, headers.get("Range", "")))

    do_HEAD = do_GET

    def log_message(self, *args):
        pass

class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True

host, port = listen.rsplit(":", 1)
Server((host, int(port)), Handler).serve_forever()
