"""registry_uploads - the part of registry-fake that is pushed to

Blobs and manifests that were pushed are kept in memory, and in DIRECTORY/<digest hex> with --keep. WHAT:
  up-cut        the first piece is cut in the middle; what came until then is kept
  up-lost       the same, but nothing is kept
  up-forgotten  the same, and the upload is not known any more
  up-gone       the first upload of each blob disappears before anything is sent
  up-short      a piece is taken by halves, as long as it has more than 100000 bytes, and the Range header says so
  up-odd        the first Range headers make no sense
  up-stuck      nothing of a piece is ever taken
  up-expire     tokens are good for two requests, and 401 comes before the piece is read
  up-busy       429 with Retry-After: 1 for the first pieces
  up-broken     503 for the first piece of each blob, and for the first manifest
  up-dead       500 for every piece
  up-small      413 for pieces of more than 600000 bytes
  up-liar       another Docker-Content-Digest for blobs
  up-liar-list  another Docker-Content-Digest for manifests
  up-wrong      the registry gets other bytes than were sent, and says so
  up-elsewhere  uploads are to another port, where Authorization must not appear
  up-relative   the Location of an upload is relative and has a query
  up-downgrade  the Location of an upload is plain http
  up-nowhere    uploads without a Location
  up-redirect   pieces are redirected by 307 to another port
  up-lose       pieces are redirected by 302
  up-denied     403 for every upload
  up-old        OCI's manifests are not known
  up-unwilling  a mount is answered with an upload
"""
import hashlib, json, os, urllib.parse

uploads = {}
blobs = {}
manifests = {}


def digest_of(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


class Uploads:
    """do_HEAD, do_POST, do_PATCH, do_PUT for the handler of registry-fake, which gives does, options, ports, times."""

    def read(self, n=None):
        left, parts = int(self.headers.get("Content-Length", 0)) if n is None else n, []
        while left:
            part = self.rfile.read(min(left, 65536))
            if not part:
                break
            parts.append(part)
            left -= len(part)
        return b"".join(parts)

    def parts(self):
        url = urllib.parse.urlsplit(self.path)
        return url.path, dict(urllib.parse.parse_qsl(url.query))

    def may_push(self):
        if self.server.server_port == self.ports[1]:
            return True
        return self.allowed(push=True)

    def do_HEAD(self):
        path, _ = self.parts()
        if not self.allowed():
            return None
        digest = path.rsplit("/", 1)[1]
        data = blobs.get((self.repository(path), digest))
        if data is None:
            return self.answer(404)
        self.note(200)
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Docker-Content-Digest", digest)
        return self.end_headers()

    @staticmethod
    def repository(path):
        for mark in ("/blobs/", "/manifests/"):
            if mark in path:
                return path[len("/v2/"):path.index(mark)]
        return ""

    def location(self, number):
        does, scheme = self.does, "https" if self.options.cert else "http"
        path = "/v2/%s/blobs/uploads/%s?_state=a%%2Bb" % (uploads[number]["repository"], number)
        if "up-relative" in does:
            return number + "?_state=a%2Bb"
        if "up-elsewhere" in does:
            return "%s://127.0.0.1:%d%s" % (scheme, self.ports[1], path)
        if "up-downgrade" in does:
            return "http://127.0.0.1:%d%s" % (self.ports[0], path)
        return path

    def say_where(self, status, number):
        upload = uploads[number]
        size = len(upload["data"])
        headers = {"Range": "0-%d" % (size - 1 if size else 0), "Docker-Upload-UUID": number}
        if "up-nowhere" not in self.does:
            headers["Location"] = self.location(number)
        if "up-odd" in self.does and self.times("odd" + number) == 1 and size:
            headers["Range"] = ["0-99999999999999999999999", "5-10", "bytes", "0-999999999"][self.times("odd") % 4]
        self.answer(status, **headers)

    def do_POST(self):
        path, query = self.parts()
        self.read()
        if not self.may_push():
            return None
        if "up-denied" in self.does:
            return self.failure(403, "DENIED", "you may not push")
        repository = self.repository(path)
        if "mount" in query:
            data = blobs.get((query.get("from"), query["mount"]))
            if data is not None and "up-unwilling" not in self.does:
                blobs[(repository, query["mount"])] = data
                return self.answer(201, Location="/v2/%s/blobs/%s" % (repository, query["mount"]),
                                   Docker_Content_Digest=query["mount"])
        number = "u%d" % self.times("upload")
        uploads[number] = {"repository": repository, "data": b"", "n": self.times("of " + repository)}
        return self.say_where(202, number)

    def find(self):
        path, query = self.parts()
        number = path.rsplit("/", 1)[1]
        if "up-gone" in self.does and number in uploads and self.command != "GET" and self.times("gone") <= 2:
            uploads.pop(number)
        return number, uploads.get(number), query

    def unknown(self):
        self.close_connection = True
        return self.failure(404, "BLOB_UPLOAD_UNKNOWN", "upload unknown")

    def upload_status(self):
        number, upload, _ = self.find()
        if upload is None or "up-forgotten" in self.does:
            return self.unknown()
        return self.say_where(204, number)

    def stumble(self, upload, number):
        """True when this piece was answered, or not, in a way of its own."""
        does, first = self.does, self.times("piece" + number) == 1
        length = int(self.headers.get("Content-Length", 0))
        cuts = self.command == "PATCH" and {"up-cut", "up-lost", "up-forgotten"} & does
        if cuts and self.times("cut") == 1:
            data = self.read(length // 2)
            if "up-cut" in does:
                upload["data"] += data
            self.note(0)
            self.close_connection = True
            return True
        if "up-busy" in does and self.times("busy") <= 4:
            self.read()
            self.failure(429, "TOOMANYREQUESTS", "slow down", Retry_After="1")
            return True
        if ("up-broken" in does and first) or "up-dead" in does:
            self.read()
            self.failure(503 if "up-broken" in does else 500, "UNAVAILABLE", "out of order")
            return True
        if "up-small" in does and length > 600000:
            self.close_connection = True
            self.failure(413, "SIZE_INVALID", "too much at once")
            return True
        if "up-redirect" in does and self.server.server_port == self.ports[0]:
            self.read()
            self.answer(307, Location="http://127.0.0.1:%d%s" % (self.ports[1], self.path))
            return True
        if "up-lose" in does:
            self.read()
            self.answer(302, Location=self.path)
            return True
        return False

    def do_PATCH(self):
        if not self.may_push():
            return None
        number, upload, _ = self.find()
        if upload is None:
            return self.unknown()
        first, last = (int(n) for n in self.headers["Content-Range"].split("-"))
        if self.stumble(upload, number):
            return None
        data = self.read()
        if first != len(upload["data"]) or last - first + 1 != len(data):
            return self.failure(416, "RANGE_INVALID", "another range is expected")
        if "up-stuck" in self.does:
            data = b""
        if "up-short" in self.does and len(data) > 100000:
            data = data[:len(data) // 2]
        upload["data"] += data
        return self.say_where(202, number)

    def put_blob(self):
        number, upload, query = self.find()
        if upload is None:
            return self.unknown()
        if int(self.headers.get("Content-Length", 0)) and self.stumble(upload, number):
            return None
        data = upload["data"] + self.read()
        if "up-wrong" in self.does:
            data += b"x"
        if digest_of(data) != query.get("digest"):
            return self.failure(400, "DIGEST_INVALID", "provided digest did not match uploaded content")
        del uploads[number]
        blobs[(upload["repository"], query["digest"])] = data
        said = "sha256:" + "1" * 64 if "up-liar" in self.does else query["digest"]
        return self.answer(201, Location="/v2/x/blobs/" + query["digest"], Docker_Content_Digest=said)

    def put_manifest(self, path):
        data = self.read()
        if "up-broken" in self.does and self.times("put " + path) == 1:
            return self.failure(503, "UNAVAILABLE", "out of order")
        if "up-old" in self.does and "oci" in self.headers["Content-Type"]:
            return self.failure(415, "MANIFEST_INVALID", "manifest invalid")
        repository, reference = self.repository(path), path.rsplit("/", 1)[1]
        body = json.loads(data)
        for d in body.get("layers", []) + [body["config"]] if "config" in body else []:
            if (repository, d["digest"]) not in blobs:
                return self.failure(400, "MANIFEST_BLOB_UNKNOWN", "blob unknown: " + d["digest"])
        for d in body.get("manifests", []):
            if (repository, d["digest"]) not in manifests:
                return self.failure(400, "MANIFEST_BLOB_UNKNOWN", "manifest unknown: " + d["digest"])
        digest = digest_of(data)
        if reference.startswith("sha256:") and reference != digest:
            return self.failure(400, "DIGEST_INVALID", "provided digest did not match")
        manifests[(repository, reference)] = manifests[(repository, digest)] = (self.headers["Content-Type"], data)
        if self.options.keep:
            with open(os.path.join(self.options.keep, "manifest"), "wb") as f:
                f.write(data)
        said = "sha256:" + "1" * 64 if "up-liar-list" in self.does else digest
        return self.answer(201, Location=path, Docker_Content_Digest=said)

    def do_PUT(self):
        path, _ = self.parts()
        if not self.may_push():
            return None
        if "/manifests/" in path:
            return self.put_manifest(path)
        return self.put_blob()

    def pushed(self, path):
        """Answers a GET for what was pushed; False when it was not."""
        repository, reference = self.repository(path), path.rsplit("/", 1)[1]
        if "/blobs/uploads/" in path:
            self.upload_status()
        elif "/manifests/" in path and (repository, reference) in manifests:
            kind, data = manifests[(repository, reference)]
            self.answer(200, data, Content_Type=kind, Docker_Content_Digest=digest_of(data))
        elif "/blobs/" in path and (repository, reference) in blobs:
            self.answer(200, blobs[(repository, reference)], Content_Type="application/octet-stream")
        else:
            return False
        return True
