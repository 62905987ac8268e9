"""registry_faults - the part of registry-fake that breaks the protocol, and the images of test/e2e/hostile as they are

--images DIRECTORY: the repository NAME is the OCI directory DIRECTORY/NAME, given out without a look at it. WHAT:
  length-more     manifests say that they have more bytes than they have
  length-less     manifests say that they have fewer bytes than they have
  endless         blobs without end and without a length
  headers         headers without end
  header-huge     a header of 10 MB
  interim         interim answers (102) without end
  no-http         answers that are no HTTP
  drip            a byte of a manifest each second
  drip-headers    a byte of the headers each second
  drip-blob       a byte of a blob each second
  encoded         manifests come packed, with Content-Encoding
  redirect-file   blobs are in file:///etc/passwd
  redirect-link   blobs are at 169.254.169.254, where clouds keep credentials
  redirect-link6  the same as an address of IPv6
  redirect-user   blobs are at an address with a name and password in it
  range-wrong     the rest of a blob that was cut is another part than was asked for
  range-none      the same, without saying which
  range-always    whole blobs come as parts
  realm-file, realm-link, realm-http, realm-user   where tokens are to be had (with --auth)
  realm-redirect  the token server redirects to another port
"""
import gzip, json, os, time

WHERE = {"redirect-file": "file:///etc/passwd", "redirect-link": "http://169.254.169.254/latest/meta-data/",
         "redirect-link6": "http://[::ffff:169.254.169.254]/latest/meta-data/",
         "redirect-user": "http://root:root@127.0.0.1:%d/cdn/x"}
REALMS = {"realm-file": "file:///etc/passwd", "realm-link": "http://169.254.169.254/token", "realm-http": "http://127.0.0.1:%d/token",
          "realm-user": "http://127.0.0.1:80@localhost:%d/token"}
ENDLESS = b"x" * 65536


class Faults:
    """For the handler of registry-fake, which gives does, options, ports, times, answer."""

    def one_of(self, table):
        return next((table[what] for what in table if what in self.does), None)

    def realm(self, usual):
        realm = self.one_of(REALMS)
        return usual if not realm else realm % self.ports[1] if "%d" in realm else realm

    # --- images of the library

    def served(self, path):
        """An image's manifest or blob as it lies there, lies and all."""
        name, _, what = path[len("/v2/"):].partition("/manifests/" if "/manifests/" in path else "/blobs/")
        top = os.path.join(self.options.images, name)
        with open(os.path.join(top, "index.json"), "rb") as f:
            descriptor = json.load(f)["manifests"][0]
        digest = what if what.startswith("sha256:") else descriptor["digest"]
        try:
            with open(os.path.join(top, "blobs", "sha256", digest[7:]), "rb") as f:
                body = f.read()
        except OSError:
            return self.failure(404, "UNKNOWN", "not found")
        kind = "application/octet-stream"
        if "/manifests/" in path:
            kind = descriptor["mediaType"] if digest == descriptor["digest"] else self.type_of(body)
        return self.answer(200, body, Content_Type=kind)

    @staticmethod
    def type_of(body):
        try:
            return json.loads(body).get("mediaType", "application/json")
        except ValueError:
            return "application/json"

    # --- the protocol

    def raw(self, *parts, pause=0):
        self.close_connection = True
        for part in parts:
            self.wfile.write(part)
            self.wfile.flush()
            time.sleep(pause)

    def flood(self, head, part):
        self.note(200)
        self.raw(head)
        while True:             # until the client has had enough
            self.wfile.write(part)

    def head(self, body, length=None, kind="application/vnd.oci.image.manifest.v1+json"):
        return b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n" % (
            kind.encode(), len(body) if length is None else length)

    def manifest_fault(self, body):
        does = self.does
        if "length-more" in does:
            self.raw(self.head(body, len(body) + 1000), body)
        elif "length-less" in does:
            self.raw(self.head(body, len(body) - 10), body)
        elif "headers" in does:
            self.flood(b"HTTP/1.1 200 OK\r\n", b"X-Header: content\r\n" * 1000)
        elif "header-huge" in does:
            self.raw(b"HTTP/1.1 200 OK\r\nX-Header: ", *[ENDLESS] * 160, b"\r\n\r\n")
        elif "interim" in does:
            self.flood(b"", b"HTTP/1.1 102 Processing\r\n\r\n" * 1000)
        elif "no-http" in does:
            self.raw(b"SSH-2.0-OpenSSH_9.2\r\n")
        elif "drip" in does:
            self.raw(self.head(body), *[body[i:i + 1] for i in range(len(body))], pause=1)
        elif "drip-headers" in does:
            text = self.head(body)
            self.raw(*[text[i:i + 1] for i in range(len(text))], body, pause=1)
        elif "encoded" in does:
            packed = gzip.compress(body)
            self.answer(200, packed, Content_Type="application/vnd.oci.image.manifest.v1+json", Content_Encoding="gzip")
        else:
            return False
        return True

    def blob_fault(self, body, count):
        where, does = self.one_of(WHERE), self.does
        ranges = self.headers.get("Range")
        if where:
            self.answer(307, Location=where % self.ports[1] if "%d" in where else where)
        elif "endless" in does:
            self.flood(b"HTTP/1.1 200 OK\r\n\r\n", ENDLESS)
        elif "drip-blob" in does:
            self.raw(self.head(body), *[body[i:i + 1] for i in range(len(body))], pause=1)
        elif "range-always" in does:
            self.answer(206, body, Content_Range="bytes 0-%d/%d" % (len(body) - 1, len(body)))
        elif {"range-wrong", "range-none"} & does and count == 1:
            self.raw(self.head(body), body[:len(body) // 2])
        elif "range-wrong" in does and ranges:
            self.answer(206, body[7:], Content_Range="bytes 7-%d/%d" % (len(body) - 1, len(body)))
        elif "range-none" in does and ranges:
            self.answer(206, body[7:])
        else:
            return False
        return True
