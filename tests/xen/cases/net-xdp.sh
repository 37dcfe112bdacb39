# about: XDP programs on our front and on the in-tree one: pass, drop, transmit, redirect, aborted, on and off under load; what is refused
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
	netgen recv "$1" -w 0 -i 1 "${@:2}" >/run/gen.out 2>&1 &
	local receiver=$!
	sleep 0.1
	netgen send $NET_BRIDGE "$(net_mac g1)" -w 0 -g 50 "${@:2}"
	wait $receiver
	rc=$?
	cat /run/gen.out
	return $rc
}
off() { # TAG [NUMBER] - it has matched so many frames
	local out
	out=$(xdp_off "${1##*-}")
	note "$1: $out"
	[ -z "${2-}" ] || check "$1-matched" grep -q "^matched $2 " <<<"$out"
}
# The in-tree back stays in state Reconfigured.
headroom_is() { xs_is "$(net_fe g1)/xdp-headroom" "$1" && { [ "$BACK" = intree ] || net_connected g1; }; }
# The in-tree front shows a program frames that came before there was room, at the place where
# they would be: what it finds there may be an earlier frame. They are not counted.
on() { # TAG ACTION - and the backend has made room
	check "$1-on" xdp_on "${1##*-}" "$NET_IF" "$2"
	check "$1-headroom" wait_until 5 headroom_is 256
	guest_run g1 "killall -USR1 netxdp"
}
nothing_arrives() { [ "$(net_frames_in g1 "$@" -w 0 -g 50 -i 1 | grep -o 'packets [0-9]*')" = "packets 0" ]; }

pass_and_drop() { # TAG
	step "$1: pass"
	on "$1-pass" pass
	# shellcheck disable=SC2086 # words
	check "$1-pass-frames" net_frames_in g1 $plan
	check "$1-pass-ping" net_ping g1
	off "$1-pass" 501
	step "$1: drop"
	on "$1-drop" drop
	# shellcheck disable=SC2086 # words
	check "$1-drop-frames" nothing_arrives $plan
	check "$1-drop-others" net_ping g1
	off "$1-drop" 501
	check "$1-headroom-off" wait_until 5 headroom_is 0
}

# Not attached, and the kernel gives one reason (6.1 gives it to nobody).
reasons=/sys/kernel/tracing/events/xdp/bpf_xdp_link_attach_failed/enable
refused() { # TAG REASON ACTION [OPTIONS...]
	local trace=/sys/kernel/tracing/trace out
	guest_run g1 "[ ! -e $reasons ] || echo 1 >$reasons; echo >$trace"
	out=$(xdp_on "$1" "$NET_IF" "${@:3}")
	guest_wait g1 "xdp$1" 5
	grep refused <<<"$out" || return
	guest_run g1 "[ -e $reasons ] || exit 0; grep -o 'errmsg=.*' $trace
		[ \$(grep -c errmsg= $trace) = 1 ] && grep -q 'errmsg=netfront: .*$2' $trace"
}

# Streams both ways, slow enough to last, and what they were: streams; streams_end TAG
streams() {
	local n=6000000
	netgen stream-recv 5600 -n "$n" >/run/stream.out 2>&1 &
	received=$!
	guest_bg g1 out "netgen stream-send $NET_HERE 5600 -n $n -g 50000"
	guest_bg g1 in "netgen stream-recv 5601 -n $n"
	sleep 0.1
	netgen stream-send "$(net_ip g1)" 5601 -n "$n" -g 50000 >/run/stream-sent.out 2>&1 &
	sent=$!
}
streams_end() { # TAG
	check "$1-out-meanwhile" guest_running g1 out
	check "$1-in-meanwhile" guest_running g1 in
	check "$1-out-sent" guest_wait g1 out 60
	wait "$received"
	check "$1-out-verified" test $? = 0
	check "$1-in-verified" guest_wait g1 in 60
	wait "$sent"
	check "$1-in-sent" test $? = 0
}

net_begin
# The same address on both, so that what is redirected is for dom0 there, too.
ip link add xenbr1 address "$(net_here_mac)" type bridge stp_state 0 forward_delay 0 mcast_snooping 0 &&
	ip link set xenbr1 up || die "second bridge"
guest_run g1 "mount -t tracefs tracefs /sys/kernel/tracing"
# shellcheck disable=SC2086 # words are wanted
{
	check attach net_attach g1 || die "vif"
	first=$NET_IF
	xl network-attach g1 mac="$(net_mac g1 1)" bridge=xenbr1 $NET_QUICK && net_wait g1 1 && second=$NET_IF &&
		guest_run g1 "$NET_IP link set $second up" || die "second vif"
	NET_IF=$first

	pass_and_drop "$FRONT"

	step "aborted"
	on aborted aborted
	net_frames_in g1 $plan -w 0 -g 50 -i 1 >/run/out
	off aborted 501

	step "transmit"
	on tx tx
	check tx-frames reflected $NET_BRIDGE $plan
	check tx-others net_ping g1
	check tx-big-tcp net_iperf g1 in 4
	memory() { guest_run g1 "echo 3 >/proc/sys/vm/drop_caches; awk '/^MemFree/ { print int(\$2 / 1024) }' /proc/meminfo"; }
	free=$(memory)
	# Faster than the ring may take them: some may be lost, nothing else may happen.
	for i in 1 2 3 4; do netgen send $NET_BRIDGE "$(net_mac g1)" -k raw -n 3000 -m 60 -x 1000 -w 0; done
	check tx-flood-others net_ping g1
	check tx-flood-frames reflected $NET_BRIDGE $plan
	now=$(memory)
	note "free in the guest: $free MB, $now MB after 12000 frames sent back"
	[ "$FRONT" != ours ] || check tx-no-leak test "$now" -ge $((free - 8))
	off tx

	# XSA-405: a page that was sent on was freed by the receiving side, too. Failure: trouble.
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
		step "larger frames"
		for d in $NET_BRIDGE "$(net_vif g1)"; do ip link set "$d" mtu 9000; done
		ip link set $NET_BRIDGE mtu 9000
		guest_run g1 "$NET_IP link set $first mtu 3400"
		on mtu tx
		check mtu-frames reflected $NET_BRIDGE -k raw -m 1500 -x 3414 -t 13 -u 3400
		check mtu-stays guest_run g1 "! $NET_IP link set $first mtu 9000"
		off mtu
		step "programs and packets of several buffers"
		on frags "pass frags"
		check frags-frames net_frames_in g1 $plan
		off frags 501
		guest_run g1 "$NET_IP link set $first mtu 9000"
		check big-refused refused big "MTU is too large" pass
		check big-frags-refused refused bigfrags "MTU is too large" pass frags
		check big-frames net_frames_in g1 -k raw -m 14 -x 9014 -t 410 -u 9000
		guest_run g1 "$NET_IP link set $first mtu 1500"
		for d in "$(net_vif g1)" $NET_BRIDGE; do ip link set "$d" mtu 1500; done
	fi
}
check detach-second net_detach g1 1
check detach net_detach g1 0

if [ "$FRONT$BACK" = oursours ]; then
	step "the in-tree front, which asks for headroom without connecting anew"
	net_front g1 intree || die "in-tree front"
	check intree-attach net_attach g1
	check intree-headroom wait_until 5 headroom_is 0
	# It shows packets of one buffer to programs and drops all others.
	net_features dom0 "$(net_vif g1)" tso off gso off
	streams
	pass_and_drop intree
	step "intree: transmit"
	on intree-tx tx
	# It loses the memory of each frame, and does not look for space in the ring.
	check intree-tx-frames reflected $NET_BRIDGE -k raw -m 14 -x 1514 -t 15 -s 7 -g 500
	check intree-tx-others net_ping g1
	off intree-tx 101
	for i in 1 2 3; do
		check "intree-load-on-$i" xdp_on load "$NET_IF" pass
		pause $i 100
		xdp_off load
	done
	streams_end intree
	check intree-load-headroom-off wait_until 5 headroom_is 0
	net_features dom0 "$(net_vif g1)" tso on gso on
	check intree-after net_frames_in g1 -n 60 -x 65549
	check intree-detach net_detach g1
	net_front g1 ours || die "front"
fi

step "a backend without room before the data"
net_back_unload
if load_backend intree vif provides_xdp_headroom=0; then
	check no-room-attach net_attach g1
	if [ "$FRONT" = ours ]; then
		check no-room-refused refused room "backend has no feature-xdp-headroom" drop
	else
		skip no-room-refused "the in-tree front claims success"
	fi
	check no-room-ping net_ping g1
	check no-room-detach net_detach g1
fi
check unload net_back_unload
