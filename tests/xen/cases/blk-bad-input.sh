# about: bad parameters, a missing backing device, frontends that ask for too much: one clear line, and everything else goes on
# tags: check blk
# guest-type: pvh
# modules: ours
# files: lib/blk.sh lib/bad-input.sh lib/vbd-script
# limit: 900
# shellcheck disable=SC1091
. /job/blk.sh
. /job/bad-input.sh

backing_ram 64 2 || die "brd"
load_ours xsplit

step "parameters of the backend"
back_refuses blkback max_queues=65 max_queues=1000 max_ring_page_order=5 max_queues=-1 max_queues=many feature_persistent=7

step "parameters of the front"
blk_guest g1 || die "guest"
check seed blk_seed g1
front_refuses g1 blkfront max_ring_page_order=9 max_indirect_segments=100000 max_queues=many

blk_back ours || die "backend"
blk_front g1 ours || die "front"
step "no backing device"
be=$(blk_be g1 xvda) fe=$(blk_fe g1 xvda) err=/local/domain/0/error/backend/vbd/${GUEST_ID[g1]}/$(blk_vdev xvda)
check missing-xl test "$(xl block-attach g1 phy:/dev/nothing,xvda,w >/run/o 2>&1; echo $?)" != 0
cat /run/o
check missing-xl-clean wait_until 15 xs_no_key "$be"
# First with our front, which tries again a few times ...
kernel_mark
blk_by_hand g1 xvda
wait_until 10 xs_is "$be/state" 2
xenstore-write "$be/physical-device" 3f:77
check missing-error wait_until 10 xenstore-exists "$err/error"
check missing-named grep -q "3f:77" <<<"$(xs_key "$err/error")"
sleep 5
note "$(kernel_count 51712) attempts: $(xs_key "$err/error")"
check missing-bounded test "$(kernel_count 51712)" -le 5
blk_by_hand_rm g1 xvda
xenstore-rm "$err"
check missing-none blk_wait_none g1
check missing-then-good blk_attach g1 /dev/ram0 xvda
check missing-then-detach blk_detach g1 xvda
check front-unload guest_run g1 "rmmod blkfront"

# ... then with none: one attempt, one line.
no_device() { # TAG REGEX VALUE
	step "physical-device $3"
	blk_by_hand g1 xvda
	wait_until 10 xs_is "$be/state" 2
	kernel_mark
	xenstore-write "$be/physical-device" "$3"
	check "$1-closing" wait_until 10 xs_is "$be/state" 5
	check "$1-line" test "$(kernel_count "51712.*$2")" = 1 -a "$(kernel_lines | wc -l)" = 1
	check "$1-error" grep -q "$2" <<<"$(xs_key "$err/error")"
	xenstore-write "$fe/state" 6
	blk_by_hand_rm g1 xvda
	xenstore-rm "$err"
}
no_device missing "3f:77" 3f:77
no_device bogus "physical-device" bogus

# A frontend that only exists in xenstore: forge TAG REGEX KEY=VALUE...
forge() {
	local tag=$1 expect=$2
	shift 2
	step "forged: $*"
	blk_by_hand g1 xvda "$@"
	wait_until 10 xs_is "$be/state" 2 || fail "$tag" "backend not waiting"
	xenstore-write "$be/physical-device" "$(blk_major_minor /dev/ram0)"
	kernel_mark
	forgery_refused "$tag" 3 "51712.*$expect"
	blk_by_hand_rm g1 xvda
	xenstore-rm "$err"
	# CVE-2010-3699: threads of a connection that failed, too.
	check "$tag-threads" blk_no_thread "${GUEST_ID[g1]}.xvda"
}
good="ring-ref=8 event-channel=1 protocol=x86_64-abi"
# shellcheck disable=SC2086 # words are wanted
{
	forge order "ring-page-order 9" ring-page-order=9 $good
	forge order-huge "ring-page-order" ring-page-order=4294967295 $good
	forge queues "999 queues" multi-queue-num-queues=999 $good
	forge queues-0 "0 queues" multi-queue-num-queues=0 $good
	forge protocol "protocol.*vax" ring-ref=8 event-channel=1 protocol=vax-abi
	# What a frontend writes must not look like lines of the log.
	forge protocol-lines 'protocol a.nb' ring-ref=8 event-channel=1 "protocol=a
b"
	forge no-ring "ring-ref" event-channel=1 protocol=x86_64-abi
	forge bad-ref "mapping in shared page|grant" ring-ref=4000000000 event-channel=1 protocol=x86_64-abi
	forge bad-ref-text "ring-ref" ring-ref=one event-channel=1 protocol=x86_64-abi
}

step "the next disk is fine"
check front blk_front g1 ours
check next-attach blk_attach g1 /dev/ram0 xvda
blk_data g1 xvda /dev/ram0 next
check next-detach blk_detach g1 xvda
check unload blk_back_unload
