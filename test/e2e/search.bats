# search: repositories and tags at registries
load helpers

# searcher [ANSWERS...]: a server on 127.0.0.1 that speaks v1 search; sets SEARCHER.
searcher() {
	local port
	port=$(free_port)
	cat >searcher.py <<-'END'
	import json, sys
	from http.server import BaseHTTPRequestHandler, HTTPServer
	from urllib.parse import urlparse, parse_qs
	class Handler(BaseHTTPRequestHandler):
	    def log_message(self, *_): pass
	    def do_GET(self):
	        url = urlparse(self.path)
	        query = parse_qs(url.query)
	        code, body, link = 404, b"{}", None
	        if url.path == "/v1/search" and "v1" in sys.argv:
	            word = query["q"][0]
	            rows = [dict(name=word + "/one", description="The \x1b[31mfirst", star_count=7, is_official=True, is_automated=False),
	                    dict(name="two", description="x" * 60, star_count=2, is_official=False, is_automated=True)]
	            code, body = 200, json.dumps(dict(num_results=2, results=rows[:int(query["n"][0])])).encode()
	        elif url.path == "/v2/":
	            code = 200
	        elif url.path == "/v2/_catalog" and "catalog" in sys.argv:
	            page = int(query.get("page", ["0"])[0])
	            code, body = 200, json.dumps(dict(repositories=["app/%d" % page, "other"])).encode()
	            link = '</v2/_catalog?page=%d>; rel="next"' % (page + 1) if page < 4 else None
	        elif url.path == "/v2/_catalog" and "garbage" in sys.argv:
	            code, body = 200, b"<html>"
	        elif url.path == "/v2/_catalog" and "endless" in sys.argv:
	            code, body, link = 200, b'{"repositories":[]}', '</v2/_catalog?page=1>; rel="next"'
	        self.send_response(code)
	        self.send_header("Content-Length", str(len(body)))
	        if link: self.send_header("Link", link)
	        self.end_headers()
	        self.wfile.write(body)
	HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
	END
	python3 searcher.py "$port" "$@" 3>&- &
	E2E_PIDS+=($!)
	wait_for_port "$port"
	SEARCHER=127.0.0.1:$port
}

@test "a registry that searches" {
	searcher v1
	run bryo search $SEARCHER/word
	assert_ok
	assert_matches "NAME +DESCRIPTION"
	assert_matches "$SEARCHER/word/one +The \\?\\[31mfirst"
	assert_matches "$SEARCHER/two +x{44}\\.\\.\\.$"
	run bryo search --no-trunc --format '{{.Description}}' $SEARCHER/word
	assert_contains "$(printf 'x%.0s' {1..60})"
	run bryo search --compatible $SEARCHER/word
	assert_matches "NAME +DESCRIPTION +STARS +OFFICIAL +AUTOMATED"
	assert_matches '7 +\[OK\]'
	for filter in is-official stars=3 is-automated=false is-official=true; do
		run bryo search --filter $filter --format '{{.Name}}' $SEARCHER/word
		assert_output $SEARCHER/word/one
	done
	run bryo search --limit 1 --format '{{.Stars}} {{.Index}}' $SEARCHER/word
	assert_output "7 $SEARCHER"
	bryo search --format json $SEARCHER/word | jq -e '.[1].Stars == 2 and .[1].Automated == "[OK]" and .[0].Official == "[OK]"'
	for filter in stars=x nonsense=1 is-official=perhaps; do
		run bryo search --filter $filter $SEARCHER/word
		assert_status 125
	done
}

@test "a registry that has a catalog only, page by page" {
	searcher catalog
	run bryo search --format '{{.Name}}' $SEARCHER/app
	assert_output "$SEARCHER/app/0
$SEARCHER/app/1
$SEARCHER/app/2
$SEARCHER/app/3
$SEARCHER/app/4"
	run bryo search --limit 2 --format '{{.Name}}' $SEARCHER/
	assert_output "$SEARCHER/app/0
$SEARCHER/other"
	run bryo search $SEARCHER/nothing
	assert_ok
	assert_output ''
}

@test "registries of registries.conf, and those that fail" {
	searcher catalog
	good=$SEARCHER
	searcher garbage
	bad=$SEARCHER
	mkdir -p "$XDG_CONFIG_HOME/containers"
	echo "unqualified-search-registries = [\"$bad\", \"$good\"]" >"$XDG_CONFIG_HOME/containers/registries.conf"
	run bryo search --format '{{.Name}}' app/3
	assert_ok
	assert_contains "$good/app/3"
	assert_contains "$bad"
	run bryo search $bad/x
	assert_status 125
	assert_contains "couldn't search registry \"$bad\""
	: >"$XDG_CONFIG_HOME/containers/registries.conf"
	run bryo search app
	assert_status 125
	assert_contains unqualified-search-registries
	run bryo search 127.0.0.1:1/x
	assert_status 125
}

@test "a real registry: repositories and tags" {
	needs docker-registry skopeo
	registry_start --auth
	registry_push "$(image_file $IMG)" me/box:1 --dest-creds alice:secret
	registry_push "$(image_file $IMG)" me/box:2 --dest-creds alice:secret
	registry_push "$(image_file $IMG)" you/tool --dest-creds alice:secret
	run bryo search --creds alice:secret --format '{{.Name}}' $REGISTRY/box
	assert_output "$REGISTRY/me/box"
	run bryo search --creds alice:wrong $REGISTRY/box
	assert_status 125
	assert_contains unauthorized
	run bryo search --list-tags --creds alice:secret $REGISTRY/me/box
	assert_matches "^NAME +TAG"
	assert_contains "$REGISTRY/me/box  1"
	assert_contains "$REGISTRY/me/box  2"
	bryo search --list-tags --creds alice:secret --limit 1 --format json $REGISTRY/me/box |
		jq -e --arg name "$REGISTRY/me/box" '.[0].Name == $name and (.[0].Tags | length) == 1'
	run bryo search --list-tags box
	assert_status 125
	assert_contains 'a registry is needed'
	run bryo search --list-tags --filter stars=1 $REGISTRY/me/box
	assert_contains 'filters are not applicable'
	run bryo search --list-tags --creds alice:secret $REGISTRY/me/nope
	assert_status 125
}
