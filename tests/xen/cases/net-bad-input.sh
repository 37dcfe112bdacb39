# about: bad parameters, frontends that ask for too much or for what is not there: one clear line, and everything else goes on
# tags: check net
# guest-type: pvh
# modules: ours
# files: lib/net.sh lib/vif-script
# guest-tools: net
# limit: 900
# shellcheck disable=SC1091
. /job/net.sh

lines() { dmesg | tail -n +"$((from + 1))" | grep -vE 'xenbr0|promiscuous|ADDRCONF'; }
mark() { from=$(dmesg | wc -l); }
count() { lines | grep -cE "$1"; }

net_bridge || die "bridge"
load_ours xsplit
step "parameters of the backend"
for bad in max_queues=65 max_queues=-1 max_queues=many copybreak=127 copybreak=100000 stall_seconds=100000; do
	mark
	load_ours netback "$bad" 2>/dev/null && fail "back-$bad" "loaded" && rmmod netback
	lines
	check "back-$bad" test ! -d /sys/module/netback -a "$(count 'netback.*'"(${bad%=*}|${bad#*=})")" = 1 -a "$(lines | wc -l)" = 1
done

step "parameters of the front"
net_guest g1 || die "guest"
guest_run g1 "insmod /lab/xsplit.ko"
for bad in max_queues=65 max_queues=many tx_copybreak=100000 rx_copybreak=4097; do
	check "front-$bad" guest_run g1 "dmesg -c >/dev/null; insmod /lab/netfront.ko $bad 2>/dev/null && r=loaded
		[ ! -d /sys/module/netfront ] || rmmod netfront
		dmesg | grep netfront
		[ \$(dmesg | sed 's/^[^]]*. //' | sort -u | grep -cE 'netfront.*(${bad%=*}|${bad#*=})') = 1 ] && [ \"\$r\" != loaded ]"
done

net_back ours || die "backend"
be=$(net_be g1) fe=$(net_fe g1) id=${GUEST_ID[g1]} err=/local/domain/0/error/backend/vif/${GUEST_ID[g1]}/0

# What a vif was before xl knew it: its nodes by hand, states last. by_hand KEY=VALUE... (frontend's)
by_hand() {
	local kv
	# What is in a directory inherits its permissions.
	xenstore-write "$be" "" "$fe" "" && xenstore-chmod "$be" n0 "r$id" && xenstore-chmod "$fe" "n$id" r0 || return
	xenstore-write "$be/frontend" "$fe" "$be/frontend-id" "$id" "$be/online" 1 "$be/script" /job/vif-script \
		"$be/mac" "$(net_mac g1)" "$be/bridge" $NET_BRIDGE "$be/handle" "${HANDLE:-0}" "$be/type" vif \
		"$be/hotplug-status" "" || return
	xenstore-write "$fe/backend" "$be" "$fe/backend-id" 0 "$fe/handle" 0 "$fe/mac" "$(net_mac g1)" || return
	for kv; do
		xenstore-write "$fe/${kv%%=*}" "${kv#*=}" || return
	done
	xenstore-write "$be/state" 1 "$fe/state" 1
}
by_hand_rm() { # as the toolstack removes one
	xenstore-write "$be/online" 0
	net_is "$be/state" 6 || xenstore-write "$be/state" 5
	wait_until 10 net_is "$be/state" 6
	xenstore-rm "$fe"
	xenstore-rm "$be"
	wait_until 5 net_no_dev "$(net_vif g1)"
	xenstore-rm "$err" 2>/dev/null
}

# A frontend that only exists in xenstore: forge TAG REGEX KEY=VALUE...
forge() {
	local tag=$1 expect=$2
	shift 2
	step "forged: $*"
	by_hand "$@"
	wait_until 10 net_is "$be/state" 2 || fail "$tag" "backend not waiting"
	mark
	net_hotplug g1 || fail "$tag" "no device"
	xenstore-write "$fe/state" 4
	check "$tag-closing" wait_until 10 net_is "$be/state" 5
	lines
	check "$tag-line" test "$(count "vif-$id-0.*($expect)|($expect).*vif-$id-0")" = 1 -a "$(lines | wc -l)" = 1
	check "$tag-error" xenstore-exists "$err/error"
	net_key "$err/error"
	# The frontend gives up, and may try again.
	xenstore-write "$fe/state" 6
	check "$tag-closed" wait_until 10 net_is "$be/state" 6
	by_hand_rm
	check "$tag-gone" net_no_dev "$(net_vif g1)"
}
good="tx-ring-ref=8 rx-ring-ref=9 event-channel=1 request-rx-copy=1 feature-rx-notify=1"
# shellcheck disable=SC2086 # words are wanted
{
	forge queues-0 "queues" multi-queue-num-queues=0 $good
	forge queues-many "queues" multi-queue-num-queues=65 $good
	forge queues-text "queues" multi-queue-num-queues=two $good
	forge no-ring "tx-ring-ref" rx-ring-ref=9 event-channel=1 request-rx-copy=1
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
