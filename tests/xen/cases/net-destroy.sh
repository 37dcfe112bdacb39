# about: guests destroyed in the middle of traffic leave no grant, page, thread, event channel, network device or xenstore node behind
# tags: check net
# guest-type: pv
# smp: 2
# modules: ours
# files: lib/net.sh lib/destroy.sh lib/vif-script
# guest-tools: net
# limit: 900
# shellcheck disable=SC1091
. /job/net.sh
. /job/destroy.sh

more() { [ "$(net_count dom0 "$(net_vif g1)" rx_packets)" -gt 30 ] && [ "$(net_count dom0 "$(net_vif g1)" tx_packets)" -gt 30 ]; }
work() { # ROUND
	check "connected-$1" net_wait g1
	net_flood_in g1
	check "busy-$1" wait_until 10 more
}
work_end() { net_flood_in_end; }

net_bridge || die "bridge"
net_back "$BACK" || die "backend"
before=$(net_held)
step "guest, kept as an image so that every round begins in the middle of its traffic"
GUEST_MEM=256 guest_create g1 "load=$(front_modules vif "$FRONT")" "vif=['$(net_spec g1)', '$(net_spec g1 1)']" || die "guest"
for i in 1 0; do
	check "connected-$i" net_wait g1 $i || die "vif $i"
	check "up-$i" net_up g1 $i
	guest_bg g1 "flood$i" "while :; do netgen send $NET_IF $(net_here_mac) -w 0 -n 300 -x 65549 || usleep 50000; done"
done
sleep 0.3
destroy_rounds net_held "$before"
check unload net_back_unload
check unloaded-interrupts grep -qx 'interrupts 0' <<<"$(net_held)"
