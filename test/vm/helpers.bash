# Helpers of the suites that run in a guest. A suite starts with:
#
#	# vm: NAME          the guest that it needs, see test/vm/image
#	load helpers
#
# It runs there as bryotest, who has a session and may use sudo. A guest belongs to one suite and is thrown away: the
# store and the real XDG_RUNTIME_DIR are shared by the suite's tests, and what root changes needs no way back except for
# the tests that follow. Run with:
#
#	test/vm/check [SUITE.bats...]
load ../e2e/helpers

setup_file() { bryo load -q -i /srv/bryo/box.tar >/dev/null; }
setup() { cd || return; }
teardown() { bryo rm -fa -t 0 >/dev/null 2>&1 || true; }

# in_container [OPTION...] COMMAND...: one more word less to type.
in_container() { bryo run --rm --network none "$@"; }

# delegated COMMAND...: in a cgroup of its own that systemd hands over whole, as a batch system does it.
delegated() { systemd-run --user --scope --quiet -p Delegate=yes -- "$@"; }

# scope_of CONTAINER: the name of its systemd unit.
scope_of() { echo "bryo-$(bryo inspect --format '{{.ID}}' "$1").scope"; }

# unit_property UNIT PROPERTY, of the user's manager.
unit_property() { systemctl --user show --property "$2" --value "$1"; }
