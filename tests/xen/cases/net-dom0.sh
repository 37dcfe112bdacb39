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

verify() { # TAG
	check "$1-ping" net_ping g1
	check "$1-out" net_frames_out g1 -n 40 -x 65549
	check "$1-in" net_frames_in g1 -n 40 -x 65549
}

net_begin
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
net_flood g1
netgen recv "$if" -w 0 -n 100000 -i 60 >/run/tap.out 2>&1 &
tap=$!
for i in 1 2 3; do
	pause "$i" 150
	ip link set "$if" mtu 9000
	pause "$i" 80
	ip link set "$if" mtu 1500
	ip link set "$NET_BRIDGE" down
	pause "$i" 80
	ip link set "$NET_BRIDGE" up
	ip link set "$if" txqueuelen $((i * 100))
	ip link set "$if" nomaster && ip link set "$if" master "$NET_BRIDGE"
	ethtool -S "$if" >/dev/null
	ethtool -K "$if" sg off
	pause "$i" 80
	ethtool -K "$if" sg on tso on
	ip link set "$if" down
	pause "$i" 80
	ip link set "$if" up
done
kill $tap
check load-end net_flood_end g1
ip addr add "$NET_HERE6/64" dev "$NET_BRIDGE" nodad
verify load
ethtool -S "$if"
check no-errors test "$(net_count dom0 "$if" rx_errors)$(net_count dom0 "$if" tx_errors)" = 00
check detach net_detach g1
check unload net_back_unload
