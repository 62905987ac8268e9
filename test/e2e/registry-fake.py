#!/usr/bin/python3
"""registry-fake - a registry that lies, stumbles and forgets, for the tests of pull and push

usage: registry-fake.py --image OCI-DIRECTORY --port-file FILE [--log FILE] [--auth] [--cert FILE --key FILE] [--do WHAT]...

Serves one OCI directory under every repository name and tag. The port it listens on is written to the port file, and
a second one, of "another host", after it. Each request is a line of the log: PORT METHOD PATH Authorization Range Status.
--auth: Bearer tokens from /token, for alice:secret or nobody. WHAT:
  redirect     blobs are elsewhere (another port), where Authorization must not appear
  loop         blobs redirect for ever
  cut          the first answer for each blob ends in the middle
  cut-norange  the same, and Range is ignored afterwards
  cut-416      the same, and Range is answered with 416
  corrupt      a byte of each blob is wrong
  longer       blobs have more bytes than their descriptors say
  busy         429 with Retry-After: 1 for the first request of each blob
  broken       500 for the first request of each blob
  dead         500 for every blob
  expire       tokens are good for two requests
  wrong-type   the manifest comes as an index
  both         the manifest has `manifests` too
  wrong-digest manifests asked for by digest are others
  huge         a manifest without end
  garbage      a manifest that is no JSON
  schema1      a manifest of the old kind
  layer-type   a layer of an unknown type
  slow         one byte of a blob each second
  escape       an error message with terminal escapes
What breaks the protocol, and --images DIRECTORY in place of --image, is in registry_faults.py.
What can go wrong while it is pushed to (up-...) is in registry_uploads.py. --keep DIRECTORY: the last manifest goes there.
"""
import argparse, base64, hashlib, json, os, ssl, sys, threading, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"

sys.dont_write_bytecode = True
from registry_faults import Faults
from registry_uploads import Uploads

parser = argparse.ArgumentParser()
parser.add_argument("--image")
parser.add_argument("--images")
parser.add_argument("--port-file", required=True)
parser.add_argument("--log")
parser.add_argument("--auth", action="store_true")
parser.add_argument("--cert")
parser.add_argument("--key")
parser.add_argument("--keep")
parser.add_argument("--do", action="append", default=[])
options = parser.parse_args()
does = set(options.do)
lock = threading.Lock()
seen = {}
tokens = {}
scopes = {}
ports = []


def blob(digest):
    try:
        with open(os.path.join(options.image, "blobs", "sha256", digest.split(":", 1)[1]), "rb") as f:
            return f.read()
    except (OSError, IndexError):
        return None


def times(what):
    with lock:
        seen[what] = seen.get(what, 0) + 1
        return seen[what]


class Handler(Faults, Uploads, BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    does, options, ports, times = does, options, ports, staticmethod(times)

    def log_message(self, *args):
        pass

    def answer(self, status, body=b"", **headers):
        self.note(status)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def note(self, status):
        if not options.log:
            return
        with lock, open(options.log, "a") as f:
            print(self.server.server_port, self.command, self.path, self.headers.get("Authorization", "-").split()[0],
                  self.headers.get("Range", "-"), status, file=f)

    def failure(self, status, code, message, **headers):
        self.answer(status, json.dumps({"errors": [{"code": code, "message": message}]}).encode(),
                    Content_Type="application/json", **headers)

    def token(self):
        user = self.headers.get("Authorization", "")
        if user and user != "Basic " + base64.b64encode(b"alice:secret").decode():
            return self.failure(401, "UNAUTHORIZED", "incorrect username or password")
        name = "token%d" % times("token")
        tokens[name] = 2 if {"expire", "up-expire"} & does else 1 << 30
        scopes[name] = self.path
        if not user:
            tokens[name] = 0
        self.answer(200, json.dumps({"token": name, "expires_in": 60}).encode(), Content_Type="application/json")

    def allowed(self, push=False):
        if not options.auth:
            return True
        with lock:
            name = self.headers.get("Authorization", "").replace("Bearer ", "")
            if tokens.get(name, 0) > 0 and (not push or "push" in scopes[name]):
                tokens[name] -= 1
                return True
        self.close_connection = push		# a body may be left
        scheme = "https" if options.cert else "http"
        self.failure(401, "UNAUTHORIZED", "authentication required", WWW_Authenticate=
                     'Bearer realm="%s",service="fake, registry",scope="repository:a/b:pull"'
                     % self.realm("%s://127.0.0.1:%d/token" % (scheme, ports[0])))
        return False

    def do_GET(self):
        path = self.path.split("?")[0]
        if path == "/token" and "realm-redirect" in does:
            return self.answer(307, Location="http://localhost:%d/token" % ports[1])
        if path == "/token":
            return self.token()
        if self.server.server_port == ports[1] and "/uploads/" not in path:		# "another host"
            return self.blob(path.rsplit("/", 1)[1], "redirect")
        if not self.allowed():
            return None
        if path == "/v2/":
            return self.answer(200, b"{}")
        if self.pushed(path):
            return None
        if options.images:
            return self.served(path)
        if "/manifests/" in path:
            return self.manifest(path.rsplit("/", 1)[1])
        if "/blobs/" in path:
            return self.blob(path.rsplit("/", 1)[1], None)
        return self.failure(404, "NAME_UNKNOWN", "no such thing")

    def manifest(self, reference):
        with open(os.path.join(options.image, "index.json"), "rb") as f:
            top = json.load(f)["manifests"][0]
        body = blob(reference if reference.startswith("sha256:") else top["digest"])
        kind = MANIFEST
        if reference == "missing" or body is None:
            text = "manifest \x1b[31munknown\x1b[0m\x07" if "escape" in does else "manifest unknown"
            return self.failure(404, "MANIFEST_UNKNOWN", text)
        if reference == "forbidden":
            return self.failure(403, "DENIED", "you may not")
        if reference == "artifact":
            changed = json.loads(body)
            changed["config"]["mediaType"] = "application/vnd.example.thing+json"
            body = json.dumps(changed).encode()
        if reference == "multi":
            body = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [
                dict(top, mediaType=MANIFEST, platform={"os": "linux", "architecture": "s390x"}, digest="sha256:" + "0" * 64),
                dict(top, mediaType=MANIFEST, platform={"os": "unknown", "architecture": "unknown"}),
                dict(top, mediaType=MANIFEST, platform={"os": "linux", "architecture": self.machine()})]}).encode()
            kind = INDEX
        if reference == "other":
            body = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [
                dict(top, mediaType=MANIFEST, platform={"os": "plan9", "architecture": "mips"})]}).encode()
            kind = INDEX
        if self.manifest_fault(body):
            return None
        changed = json.loads(body)
        if "both" in does:
            changed["manifests"] = []
            body = json.dumps(changed).encode()
        if "layer-type" in does:
            changed["layers"][0]["mediaType"] = "application/x-unknown"
            body = json.dumps(changed).encode()
        if "schema1" in does:
            body, kind = b'{"schemaVersion":1,"name":"x","tag":"y","fsLayers":[]}', "application/vnd.docker.distribution.manifest.v1+json"
        if "wrong-digest" in does and reference.startswith("sha256:"):
            body += b" "
        if "wrong-type" in does:
            kind = INDEX
        if "garbage" in does:
            body = b'{"schemaVersion": 2, "layers": [[[['
        if "huge" in does:
            body = b"{" + b" " * (5 << 20) + b"}"
        return self.answer(200, body, Content_Type=kind,
                           Docker_Content_Digest="sha256:" + hashlib.sha256(body).hexdigest())

    @staticmethod
    def machine():
        return {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine, os.uname().machine)

    def blob(self, digest, where):
        body = blob(digest)
        if body is None:
            return self.failure(404, "BLOB_UNKNOWN", "blob unknown")
        big = len(body) > 4096		# the configuration is served honestly, so that the layers are reached
        if "redirect" in does and not where:
            scheme = "https" if options.cert else "http"
            return self.answer(307, Location="%s://127.0.0.1:%d/cdn/%s" % (scheme, ports[1], digest))
        if "loop" in does:
            return self.answer(307, Location=self.path)
        if "downgrade" in does:
            return self.answer(307, Location="http://127.0.0.1:%d/cdn/%s" % (ports[1], digest))
        count = times(digest)
        if big and self.blob_fault(body, count):
            return None
        if big and "dead" in does:
            return self.failure(500, "UNKNOWN", "out of order")
        if big and count == 1 and "busy" in does:
            return self.failure(429, "TOOMANYREQUESTS", "slow down", Retry_After="1")
        if big and count == 1 and "broken" in does:
            return self.failure(503, "UNAVAILABLE", "in a moment")
        if "corrupt" in does and big:
            body = body[:5000] + bytes([body[5000] ^ 1]) + body[5001:]
        if "longer" in does and big:
            body += b"more"
        status, headers, first = 200, {}, 0
        ranges = self.headers.get("Range")
        if ranges and "cut-416" in does:
            return self.answer(416)
        if ranges and "cut-norange" not in does:
            first = int(ranges.split("=")[1].split("-")[0])
            status, headers = 206, {"Content-Range": "bytes %d-%d/%d" % (first, len(body) - 1, len(body))}
        part = body[first:]
        self.note(status)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(part)))
        self.end_headers()
        if big and count == 1 and any(d.startswith("cut") for d in does):
            self.wfile.write(part[:len(part) // 2])
            self.close_connection = True
            return None
        if big and "slow" in does:
            for i in range(len(part)):
                self.wfile.write(part[i:i + 1])
                self.wfile.flush()
                time.sleep(1)
        self.wfile.write(part)
        return None


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *args):
        pass			# clients may go away


servers = [Server(("127.0.0.1", 0), Handler) for _ in range(2)]
for server in servers:
    if options.cert and not (server is servers[1] and "downgrade" in does):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(options.cert, options.key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    ports.append(server.server_port)
threading.Thread(target=servers[1].serve_forever, daemon=True).start()
with open(options.port_file + ".new", "w") as f:
    print(*ports, file=f)
os.rename(options.port_file + ".new", options.port_file)
servers[0].serve_forever()
