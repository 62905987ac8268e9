# `bryo push`: to real registries, and to one that stumbles
load helpers

@test "a push to docker-registry, a pull by others, the digests are the same" {
	needs docker-registry skopeo
	registry_start
	need_image
	run bryo push "$IMG" "$REGISTRY/team/box:1"
	assert_ok
	assert_contains "Copying blob"
	assert_contains "Writing manifest to image destination"
	run skopeo inspect --tls-verify=false "docker://$REGISTRY/team/box:1"
	assert_ok
	echo "$output"
	false
}
