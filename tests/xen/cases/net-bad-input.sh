# about: bad parameters, frontends that ask for too much or for what is not there: one clear line, and everything else goes on
# tags: check net
# guest-type: pvh
# modules: ours
# files: lib/net.sh lib/bad-input.sh lib/vif-script
# guest-tools: net
# limit: 900
# shellcheck disable=SC1091
. /job/net.sh
. /job/bad-input.sh

KERNEL_IGNORE='xenbr0|promiscuous|ADDRCONF'

net_bridge || die "bridge"
load_ours xsplit
step "parameters of the backend"
back_refuses netback max_queues=65 max_queues=-1 max_queues=many copybreak=127 copybreak=100000 stall_seconds=100000

step "parameters of the front"
net_guest g1 || die "guest"
front_refuses g1 netfront max_queues=65 max_queues=many tx_copybreak=100000 rx_copybreak=4097

net_back ours || die "backend"
be=$(net_be g1) fe=$(net_fe g1) id=${GUEST_ID[g1]} err=/local/domain/0/error/backend/vif/${GUEST_ID[g1]}/0

# A frontend that only exists in xenstore: forge TAG REGEX KEY=VALUE...
forge() {
	local tag=$1 expect=$2
	shift 2
	step "forged: $*"
	net_by_hand g1 "$@"
	wait_until 10 xs_is "$be/state" 2 || fail "$tag" "backend not waiting"
	kernel_mark
	net_hotplug g1 || fail "$tag" "no device"
	forgery_refused "$tag" 4 "vif-$id-0.*($expect)|($expect).*vif-$id-0"
	device_by_hand_rm "$be" "$fe"
	check "$tag-gone" wait_until 5 net_no_dev "$(net_vif g1)"
	xenstore-rm "$err"
}
good="tx-ring-ref=8 rx-ring-ref=9 event-channel=1 request-rx-copy=1 feature-rx-notify=1"
# shellcheck disable=SC2086 # words are wanted
{
	forge queues-0 "queues" multi-queue-num-queues=0 $good
	forge queues-many "queues" multi-queue-num-queues=65 $good
	forge queues-text "queues" multi-queue-num-queues=two $good
	forge no-ring "tx-ring-ref" rx-ring-ref=9 event-channel=1 request-rx-copy=1
	# CVE-2026-99286: what a connection had that failed later on was used after it was freed.
	forge bad-ref "map|grant|ring" tx-ring-ref=4000000000 rx-ring-ref=9 event-channel=1 request-rx-copy=1
	forge same-ref "ring-ref|map|grant" tx-ring-ref=8 rx-ring-ref=8 event-channel=1 request-rx-copy=1
	forge ref-text "tx-ring-ref" tx-ring-ref=one rx-ring-ref=9 event-channel=1 request-rx-copy=1
	forge no-channel "event-channel" tx-ring-ref=8 rx-ring-ref=9 request-rx-copy=1
	forge channel-0 "event-channel" tx-ring-ref=8 rx-ring-ref=9 event-channel=0 request-rx-copy=1
	forge no-copy "request-rx-copy" tx-ring-ref=8 rx-ring-ref=9 event-channel=1 feature-rx-notify=1
}

step "the next interface is fine"
check front net_front g1 ours
check next-attach net_attach g1
check next-ping net_ping g1
check next-frames net_frames_out g1 -n 100 -x 65549

step "a running front is disturbed by its own keys, and recovers"
xenstore-write "$fe/multi-queue-num-queues" 77
check disturbed-ping net_ping g1
guest_run g1 "ethtool -L $NET_IF combined 1 2>/dev/null"
check next-detach net_detach g1
check unload net_back_unload
