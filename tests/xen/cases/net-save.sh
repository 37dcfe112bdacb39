# about: save and restore in the middle of a checked stream, onto other backends, too; addresses are announced
# tags: check net
# guest-type: pv
# smp: 2
# modules: ours
# files: lib/net.sh lib/vif-script
# guest-tools: net
# limit: 900
# shellcheck disable=SC1091
. /job/net.sh

# move ROUND BACKEND [PARAMETER...]
move() {
	local tag="$2-$1"
	step "round $1: to $2 ${*:3}"
	netgen stream-recv 5600 -n 120000000 >/run/stream.out 2>&1 &
	local stream=$! arp
	guest_bg g1 stream "netgen stream-send $NET_HERE 5600 -n 120000000"
	pause "$1" 200
	check "$tag-runs" guest_running g1 stream
	check "$tag-save" guest_save g1 /scratch/g1.save || return
	check "$tag-back" net_back "${@:2}" || return
	netgen arp "$NET_BRIDGE" 4 >/run/arp.out &
	arp=$!
	check "$tag-restore" guest_restore g1 /scratch/g1.save || return
	check "$tag-connected" net_wait g1
	check "$tag-stream" guest_wait g1 stream 90
	wait $stream
	check "$tag-verified" test $? = 0
	cat /run/stream.out
	check "$tag-ping" net_ping g1
	check "$tag-ping-guest" net_ping_guest g1
	check "$tag-frames" net_frames_out g1 -n 60 -x 65549
	check "$tag-frames-in" net_frames_in g1 -n 60 -x 65549
	wait $arp
	check "$tag-announced" grep -qx "$(net_mac g1) $(net_ip g1)" /run/arp.out
}

net_begin_plugged
# Somebody else's announcement would be mistaken for it.
guest_run g1 "echo 1 >/proc/sys/net/ipv4/conf/all/arp_notify"

move 1 "$BACK"
move 2 "$BACK" max_queues=1
if [ "$BACK" = ours ]; then
	move 3 intree max_queues=2
	move 4 ours
fi
# XSA-465: a front that was removed between its restoration and its connection had no queues, and
# crashed. Failure: trouble in the guest's log, or no answer.
step "removed as soon as it is restored"
check removed-save guest_save g1 /scratch/g1.save
check removed-restore guest_restore g1 /scratch/g1.save
check removed-at-once guest_run g1 "echo vif-0 >/sys/bus/xen/devices/vif-0/driver/unbind && [ ! -e /sys/class/net/$NET_IF ]"
check poweroff guest_poweroff g1
check unload net_back_unload
