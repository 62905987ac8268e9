# `bryo save`: every form, read back by bryo, podman and skopeo; the same bytes twice; nothing half
load helpers

# config_of TRANSPORT:PATH: the id of the image in it, as skopeo sees it.
config_of() { skopeo inspect --config --raw "$1" | sha256sum | cut -d' ' -f1; }
image_id() { bryo inspect --format '{{.Id}}' "$1" | sed 's/sha256://'; }

# tree_of NAME: what the files of an image are.
tree_of() {
	bryo run --rm --network none "$1" /bin/sh -c 'cd / && find bin etc home root usr var www -type f -o -type l | sort |
		grep -vE "^etc/(hosts|hostname|resolv.conf)$" | while read -r f; do stat -c "%n %a %u %g %Y" "$f"; done
		find www home etc/opaque etc/replaced -type f -exec sha256sum {} + | sort'
}

@test "every form comes back as the same image with the same files" {
	need_image
	id=$(image_id $IMG)
	tree=$(tree_of $IMG)
	bryo save -q -o a.tar $IMG
	bryo save -q --format oci-archive -o o.tar $IMG
	bryo save -q --format oci-dir -o p $IMG
	bryo save -q --format docker-dir -o d $IMG
	[ "$(config_of docker-archive:a.tar)" = "$id" ]
	[ "$(config_of oci-archive:o.tar)" = "$id" ]
	[ "$(config_of oci:p)" = "$id" ]
	[ "$(config_of dir:d)" = "$id" ]
	for form in a.tar o.tar p d; do
		bryo rmi -fa
		run bryo load -q -i $form
		assert_ok
		[ "$(bryo images -q --no-trunc)" = "sha256:$id" ]
		[ "$(tree_of "$id")" = "$tree" ]
		[ $form = d ] || [ "$(image_id $IMG)" = "$id" ]
	done
}

@test "the same image gives the same bytes, to a file and through a pipe" {
	need_image
	for format in docker-archive oci-archive; do
		bryo save -q --format $format -o 1.tar $IMG
		bryo save -q --format $format $IMG >2.tar
		bryo save -q --format $format $IMG | cat >3.tar
		bryo save -q --format $format -o /dev/stdout $IMG | cat >4.tar
		cmp 1.tar 2.tar
		cmp 1.tar 3.tar
		cmp 1.tar 4.tar
		tar tf 1.tar >list
		[ "$(sort list | uniq -d)" = "" ]
	done
	"$MAKE_IMAGE" --format oci-archive --compress gzip localhost/z z.tar
	bryo load -q -i z.tar
	bryo save -q -o 1.tar z
	bryo save -q z | cat >2.tar
	cmp 1.tar 2.tar
}
