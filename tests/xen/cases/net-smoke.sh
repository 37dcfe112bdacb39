# about: a guest on a bridge by an ordinary vif line: ping, iperf3 both ways, a file both ways, detach and attach
# tags: net
# files: lib/net.sh lib/vif-script
# guest-tools: net
# limit: 400
# shellcheck disable=SC1091
. /job/net.sh

net_bridge || die "bridge"
load_backend "$BACK" vif || die "$BACK netback"
step "guest with $FRONT netfront on $BACK netback"
GUEST_MEM=256 guest_create g1 "load=$(front_modules vif "$FRONT")" "vif=['mac=$(net_mac g1),bridge=$NET_BRIDGE']" || die "guest"
check connected net_wait g1 || die "no vif"
check up net_up g1
check bridged test -e "/sys/class/net/$NET_BRIDGE/brif/$(net_vif g1)"
note "$(net_queues g1) queues, $(guest_run g1 "ethtool -i $NET_IF | head -n 1"), dom0 $(ethtool -i "$(net_vif g1)" | head -n 1)"
step "ping"
check ping net_ping g1
check ping6 net_ping6 g1
check ping-guest net_ping_guest g1
check ping-big net_ping g1 0 -s 20000
step "iperf3"
for way in out in; do
	check "iperf-$way" net_iperf g1 $way
	note "TCP $way: $(cat /run/lab/check.out) Mb/s"
done
step "files"
check file-from net_file g1 from
check file-to net_file g1 to
step "detach, attach"
check detach net_detach g1
check attach net_attach g1
check ping-again net_ping g1
check file-again net_file g1 from 1
check poweroff guest_poweroff g1
check unload net_back_unload
