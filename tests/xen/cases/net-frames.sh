# about: frames of all sizes to 64 KiB with odd fragments, byte for byte: guest to dom0, dom0 to guest, guest to guest
# tags: check net
# guest-type: pvh
# modules: ours
# files: lib/net.sh lib/vif-script
# guest-tools: net
# limit: 900
#
# STEP=1 sends every size up to the largest instead of a choice.
# shellcheck disable=SC1091
. /job/net.sh

frames() { # TAG OPTIONS...
	check "$1-out" net_frames_out g1 "${@:2}"
	check "$1-in" net_frames_in g1 "${@:2}"
	check "$1-between" net_frames_between g1 g2 "${@:2}"
}
data() { # TAG stream|udp OPTIONS...
	check "$1-out" net_data g1 out "$2" "$NET_HERE" "${@:3}"
	check "$1-in" net_data g1 in "$2" "$(net_ip g1)" "${@:3}"
}

net_bridge || die "bridge"
net_back "$BACK" || die "backend"
step "two guests"
for g in g1 g2; do
	GUEST_MEM=256 guest_create $g "load=$(front_modules vif "$FRONT")" "vif=['$(net_spec $g)']" || die "guest $g"
done
for g in g1 g2; do
	check "connected-$g" net_wait $g || die "no vif"
	check "up-$g" net_up $g
done
step "every size to 1514"
frames each-raw -m 14 -x 1514 -t 1 -k raw -s 1
frames each -m 14 -x 1518 -t 1 -k vlan,tcp4,tcp6,udp4,udp6,raw -s 2
step "TCP to be cut"
frames gso -n 400 -x 65549 -s 3
step "odd pieces"
data stream stream -n 6000000
data datagrams udp -n 200 -m 8 -x 30000

step "jumbo"
ip link set "$NET_BRIDGE" mtu 65517
for g in g1 g2; do
	ip link set "$(net_vif $g)" mtu 65517
	check "jumbo-$g" guest_run $g "$NET_IP link set $NET_IF mtu 65517"
done
ip link set "$NET_BRIDGE" mtu 65517
frames jumbo -n 400 -x 65535 -u 65517 -s 4
frames jumbo-step -m 1500 -x 65535 -t "${STEP:-331}" -u 65517 -k raw,vlan -s 5
data jumbo-stream stream -n 6000000
data jumbo-datagrams udp -n 200 -m 8 -x 65000
for g in g1 g2; do
	note "$g drops: $(net_count $g "$NET_IF" rx_dropped) $(net_count $g "$NET_IF" tx_dropped), dom0: $(net_count dom0 "$(net_vif $g)" rx_dropped) $(net_count dom0 "$(net_vif $g)" tx_dropped)"
	check "poweroff-$g" guest_poweroff $g
done
check unload net_back_unload
