# about: the rate limit of a vif holds within 5 %, for all its queues together, and follows changes
# tags: check net
# guest-type: pvh
# smp: 2
# modules: ours
# files: lib/net.sh lib/vif-script
# guest-tools: net
# limit: 600
# shellcheck disable=SC1091
. /job/net.sh

# Mb/s of frames from the guest over two seconds
sent() {
	local dev b0 b1 t0 t1
	dev=/sys/class/net/$(net_vif g1)/statistics/rx_bytes
	sleep 0.5
	read -r t0 _ </proc/uptime
	b0=$(cat "$dev")
	sleep 2
	read -r t1 _ </proc/uptime
	b1=$(cat "$dev")
	awk -v b=$((b1 - b0)) -v t0="$t0" -v t1="$t1" 'BEGIN { printf "%.2f\n", b * 8 / 1e6 / (t1 - t0) }'
}
within() { # MEASURED WANTED - 5 percent
	awk -v m="$1" -v w="$2" 'BEGIN { exit !(m >= w * 0.95 && m <= w * 1.05) }'
}

net_bridge || die "bridge"
step "guest"
net_guest g1 || die "guest"
for queues in 1 2; do
	net_back "$BACK" max_queues=$queues || die "backend"
	net_front g1 "$FRONT" max_queues=$queues || die "front"
	for rate in 20Mb/s 64Mb/s@20ms; do
		mbit=${rate%%Mb*}
		step "$rate over $queues queues"
		check "q$queues-$mbit-attach" net_attach g1 0 rate=$rate || break
		check "q$queues-$mbit-agreed" test "$(net_queues g1)" = $queues
		note "rate key: $(xs_key "$(net_be g1)/rate")"
		# Several flows, so that every queue has some.
		net_server 5201 iperf3 -s -1
		guest_bg g1 load "iperf3 -P 4 -t 4 -c $NET_HERE"
		got=$(sent)
		note "$queues queues, limit $mbit Mb/s: $got Mb/s"
		if [ "$BACK" = ours ] || [ $queues = 1 ]; then
			check "q$queues-$mbit-held" within "$got" "$mbit"
		else
			skip "q$queues-$mbit-held" "in-tree limits each queue"
		fi
		guest_wait g1 load 30 >/dev/null
		check "q$queues-$mbit-ping" net_ping g1
		check "q$queues-$mbit-detach" net_detach g1
	done
done
check unload net_back_unload
