# about: what an administrator does to a vif in dom0 under load: down, up, MTU, offloads, taps, bridge down, filters, queueing
# tags: check net
# guest-type: pvh
# smp: 2
# modules: ours
# files: lib/net.sh lib/vif-script
# guest-tools: net
# limit: 500
# shellcheck disable=SC1091
. /job/net.sh

flood() {
	guest_bg g1 flood "while [ ! -e /run/stop ]; do netgen send $NET_IF $(net_here_mac) -w 0 -n 300 -x 30000 >/dev/null 2>&1; done; rm /run/stop"
	(
		set +x
		while [ ! -e /run/stop ]; do
			netgen send "$NET_BRIDGE" "$(net_mac g1)" -w 0 -n 300 -x 30000
		done
	) >/dev/null 2>&1 &
	FLOOD=$!
}
flood_end() {
	touch /run/stop
	wait "$FLOOD"
	rm /run/stop
	guest_run g1 "touch /run/stop"
	guest_wait g1 flood 60 >/dev/null
	[ $? != 124 ]
}
verify() { # TAG
	check "$1-ping" net_ping g1
	check "$1-out" net_frames_out g1 -n 40 -x 65549
	check "$1-in" net_frames_in g1 -n 40 -x 65549
}

net_bridge || die "bridge"
net_back "$BACK" || die "backend"
step "guest"
net_guest g1 || die "guest"
net_front g1 "$FRONT" || die "front"
check attach net_attach g1 || die "attach"
if=$(net_vif g1)

step "offloads of the vif"
for what in "tx off" "tx on sg off" "sg on tso off" "tso on gso off" "gso on gro off" "gro on rx off" "rx on"; do
	# shellcheck disable=SC2086 # words
	ethtool -K "$if" $what || note "$what: refused"
	check "offload-${what// /-}-in" net_frames_in g1 -n 30 -x 65549
	check "offload-${what// /-}-out" net_frames_out g1 -n 30 -x 65549
done
verify offload

step "under load"
flood
netgen recv "$if" -w 0 -n 100000 -i 60 >/run/tap.out 2>&1 &
tap=$!
for i in 1 2 3; do
	net_pause "$i" 150
	ip link set "$if" mtu 9000
	net_pause "$i" 80
	ip link set "$if" mtu 1500
	ip link set "$NET_BRIDGE" down
	net_pause "$i" 80
	ip link set "$NET_BRIDGE" up
	ip link set "$if" txqueuelen $((i * 100))
	ip link set "$if" nomaster && ip link set "$if" master "$NET_BRIDGE"
	ethtool -S "$if" >/dev/null
	ethtool -K "$if" sg off
	net_pause "$i" 80
	ethtool -K "$if" sg on tso on
	ip link set "$if" down
	net_pause "$i" 80
	ip link set "$if" up
done
kill $tap
check load-end flood_end
ip addr add "$NET_HERE6/64" dev "$NET_BRIDGE" nodad
verify load
ethtool -S "$if"
check no-errors test "$(net_count dom0 "$if" rx_errors)$(net_count dom0 "$if" tx_errors)" = 00
check detach net_detach g1
check unload net_back_unload
