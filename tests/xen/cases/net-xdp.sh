# about: XDP programs on the front: pass, drop, transmit, redirect, aborted; counted, frames checked; refused where the backend has no room for it
# tags: check net
# guest-kernel: 6.12
# guest-type: pvh
# smp: 2
# modules: ours
# files: lib/net.sh lib/vif-script
# guest-tools: net
# limit: 900
# shellcheck disable=SC1091
. /job/net.sh

xdp_on() { # TAG DEVICE ACTION [OPTIONS...]
	guest_bg g1 "xdp$1" "netxdp ${*:2}"
	guest_run g1 "n=50; until grep -qE 'attached|refused' /run/bg.xdp$1.out; do
		n=\$((n - 1)); [ \$n -gt 0 ] || exit 1; usleep 50000; done; cat /run/bg.xdp$1.out; grep -q attached /run/bg.xdp$1.out"
}
xdp_off() { # TAG - what it counted
	guest_run g1 "killall -TERM netxdp" && guest_wait g1 "xdp$1" 20 | tail -n 1
}
plan="-k raw -m 14 -x 1514 -t 3 -s 7"
# Frames to the guest that are to come back by DEVICE: reflected DEVICE OPTIONS...
reflected() {
	local rc
	netgen recv "$1" "${@:2}" -w 0 -i 1 >/run/gen.out 2>&1 &
	local receiver=$!
	sleep 0.1
	netgen send $NET_BRIDGE "$(net_mac g1)" "${@:2}" -w 0 -g 50
	wait $receiver
	rc=$?
	cat /run/gen.out
	return $rc
}
matched() { # TEXT NUMBER
	grep -q "^matched $2 " <<<"$1"
}

net_bridge || die "bridge"
# The same address on both, so that what is redirected is for dom0 there, too.
ip link add xenbr1 address "$(net_here_mac)" type bridge stp_state 0 forward_delay 0 mcast_snooping 0 &&
	ip link set xenbr1 up || die "second bridge"
net_back "$BACK" || die "backend"
step "guest"
net_guest g1 || die "guest"
net_front g1 "$FRONT" || die "front"
# shellcheck disable=SC2086 # words are wanted
{
	check attach net_attach g1 || die "vif"
	first=$NET_IF
	xl network-attach g1 mac="$(net_mac g1 1)" bridge=xenbr1 $NET_QUICK && net_wait g1 1 && second=$NET_IF &&
		guest_run g1 "$NET_IP link set $second up" || die "second vif"
	NET_IF=$first

	step "pass"
	check pass-on xdp_on pass $first pass
	check pass-frames net_frames_in g1 $plan
	check pass-ping net_ping g1
	check pass-big-tcp net_iperf g1 in 4
	out=$(xdp_off pass)
	note "pass: $out"
	check pass-matched matched "$out" 501

	step "drop"
	check drop-on xdp_on drop $first drop
	check drop-frames test "$(net_frames_in g1 $plan -w 0 -g 50 -i 1 >/run/out; grep -o 'packets [0-9]*' /run/out)" = "packets 0"
	check drop-others net_ping g1
	out=$(xdp_off drop)
	note "drop: $out"
	check drop-matched matched "$out" 501

	step "aborted"
	check aborted-on xdp_on aborted $first aborted
	net_frames_in g1 $plan -w 0 -g 50 -i 1 >/run/out
	out=$(xdp_off aborted)
	note "aborted: $out"
	check aborted-matched matched "$out" 501

	step "transmit"
	check tx-on xdp_on tx $first tx
	check tx-frames reflected $NET_BRIDGE $plan
	check tx-others net_ping g1
	memory() { guest_run g1 "echo 3 >/proc/sys/vm/drop_caches; awk '/^MemFree/ { print int(\$2 / 1024) }' /proc/meminfo"; }
	free=$(memory)
	# Faster than the ring may take them: some may be lost, nothing else may happen.
	for i in 1 2 3 4; do netgen send $NET_BRIDGE "$(net_mac g1)" -k raw -n 3000 -m 60 -x 1000 -w 0; done
	check tx-flood-others net_ping g1
	check tx-flood-frames reflected $NET_BRIDGE $plan
	now=$(memory)
	note "free in the guest: $free MB, $now MB after 12000 frames sent back"
	[ "$FRONT" != ours ] || check tx-no-leak test "$now" -ge $((free - 8))
	out=$(xdp_off tx)
	note "tx: $out"

	step "redirect"
	# A device that is a target has to have transmit queues for it.
	check redirect-target xdp_on target $second pass
	check redirect-on xdp_on redirect $first "redirect:$second"
	check redirect-frames reflected xenbr1 $plan
	check redirect-others net_ping g1
	guest_run g1 "killall -TERM netxdp"
	note "redirect: $(guest_wait g1 xdpredirect 20)"
	guest_wait g1 xdptarget 20

	step "on and off under load"
	netgen stream-recv 5600 -n 60000000 >/run/stream.out 2>&1 &
	stream=$!
	guest_bg g1 stream "netgen stream-send $NET_HERE 5600 -n 60000000"
	for i in 1 2 3; do
		check "load-on-$i" xdp_on load $first pass
		pause $i 100
		xdp_off load
	done
	check load-stream guest_wait g1 stream 60
	wait $stream
	check load-verified test $? = 0
	check load-after net_frames_in g1 -n 60 -x 65549

	if [ "$FRONT" = ours ]; then
		step "larger frames, and jumbo with a program that takes several buffers"
		for d in $NET_BRIDGE "$(net_vif g1)"; do ip link set "$d" mtu 9000; done
		ip link set $NET_BRIDGE mtu 9000
		guest_run g1 "$NET_IP link set $first mtu 3400"
		check mtu-on xdp_on mtu $first tx
		check mtu-frames reflected $NET_BRIDGE -k raw -m 1500 -x 3414 -t 13 -u 3400
		xdp_off mtu
		guest_run g1 "$NET_IP link set $first mtu 9000"
		check big-refused test "$(xdp_on big $first pass >/run/out; echo $?)" != 0
		cat /run/out
		guest_wait g1 xdpbig 5
		if xdp_on frags $first pass frags; then
			check frags-frames net_frames_in g1 -k raw -m 14 -x 9014 -t 41 -u 9000
			xdp_off frags
		else
			skip frags "programs for several buffers are refused"
			guest_wait g1 xdpfrags 5
		fi
		guest_run g1 "$NET_IP link set $first mtu 1500"
		for d in "$(net_vif g1)" $NET_BRIDGE; do ip link set "$d" mtu 1500; done
	fi
}
check detach-second net_detach g1 1
check detach net_detach g1 0

step "a backend without room before the data"
net_back_unload
if load_backend intree vif provides_xdp_headroom=0; then
	check no-room-attach net_attach g1
	if [ "$FRONT" = ours ]; then
		check no-room-refused test "$(xdp_on room "$NET_IF" drop >/run/out; echo $?)" != 0
		cat /run/out
		guest_wait g1 xdproom 5
	else
		skip no-room-refused "the in-tree front claims success"
	fi
	check no-room-ping net_ping g1
	check no-room-detach net_detach g1
fi
check unload net_back_unload
