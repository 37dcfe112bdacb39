# about: jumbo, VLAN, link and address changes, vifname, vif-route, mtu and trusted keys, multicast filter, ethtool
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

quick="-n 60 -x 65549"
verify() { # TAG
	# shellcheck disable=SC2086 # words
	{
		check "$1-out" net_frames_out g1 $quick
		check "$1-in" net_frames_in g1 $quick
	}
}
guest_mtu() { guest_run g1 "cat /sys/class/net/$NET_IF/mtu"; }
carrier_is() { [ "$(guest_run g1 "cat /sys/class/net/$NET_IF/carrier")" = "$1" ]; }
stock() { # NAME KEY=VALUE... - attach with Xen's own scripts
	xl network-attach "$1" "mac=$(net_mac "$1")" "${@:2}" && net_wait "$1" && net_up "$1"
}

net_begin
before=$(net_held)

step "vif-bridge and a name of one's own"
check vifname-attach stock g1 bridge=$NET_BRIDGE vifname=front0
check vifname-bridged test -e /sys/class/net/$NET_BRIDGE/brif/front0
check vifname-mac test "$(cat /sys/class/net/front0/address)" = fe:ff:ff:ff:ff:ff
check vifname-ping net_ping g1
verify vifname
xl network-detach g1 0
check vifname-gone wait_until 15 xs_no_key "$(net_be g1)"
check vifname-guest-gone net_wait_gone g1
check vifname-held wait_until 10 test ! -e /sys/class/net/front0

step "vif-route"
mkdir -p /run/bin
ln -s /usr/bin/busybox /run/bin/ifconfig
PATH=/run/bin:$PATH
check route-attach stock g1 script=vif-route ip=$(net_ip g1) gatewaydev=$NET_BRIDGE
check route-there grep -q "$(net_ip g1)" <<<"$(ip route show dev "$(net_vif g1)")"
check route-ping net_ping g1
check route-file net_file g1 from 1
check route-detach net_detach g1

step "mtu key, jumbo, by vif-bridge"
ip link set $NET_BRIDGE mtu 9000
check mtu-attach stock g1 bridge=$NET_BRIDGE mtu=9000
check mtu-vif test "$(cat "/sys/class/net/$(net_vif g1)/mtu")" = 9000
check mtu-key xs_is "$(net_fe g1)/mtu" 9000
if [ "$FRONT" = ours ]; then
	check mtu-guest test "$(guest_mtu)" = 9000
else
	skip mtu-guest "the in-tree front does not read it"
	guest_run g1 "$NET_IP link set $NET_IF mtu 9000"
fi
ip link set $NET_BRIDGE mtu 9000
check mtu-ping net_ping g1 0 -M do -s 8972
check mtu-frames-out net_frames_out g1 -n 60 -x 65549 -u 9000
check mtu-frames-in net_frames_in g1 -n 60 -x 65549 -u 9000
check mtu-less guest_run g1 "$NET_IP link set $NET_IF mtu 1400"
check mtu-less-ping net_ping g1
check mtu-too-much test "$(guest_run g1 "$NET_IP link set $NET_IF mtu 65536 2>/dev/null; echo \$?")" != 0
check mtu-detach net_detach g1
ip link set $NET_BRIDGE mtu 1500

# XSA-403: what the guest sends does not come from pages with other things in them. What a backend
# sees is looked at by fuzz and kunit; here, that everything works that way.
step "a backend that is not trusted"
check untrusted-attach net_attach g1 0 untrusted
check untrusted-key xs_is "$(net_fe g1)/trusted" 0
verify untrusted
check untrusted-stream net_data g1 out stream "$NET_HERE" -n 2000000
check untrusted-detach net_detach g1

step "VLAN on top"
check attach net_attach g1
guest_run g1 "modprobe 8021q; $NET_IP link add link $NET_IF name v77 type vlan id 77 && $NET_IP link set v77 up &&
	$NET_IP addr add 192.168.177.11/24 dev v77" || fail vlan "guest"
modprobe 8021q
ip link add link $NET_BRIDGE name v77 type vlan id 77 && ip link set v77 up && ip addr add 192.168.177.1/24 dev v77
check vlan-ping guest_run g1 "$NET_PING -q -c 3 -i 0.02 -W 2 192.168.177.1"
check vlan-stream-out net_data g1 out stream 192.168.177.1 -n 4000000
check vlan-stream-in net_data g1 in stream 192.168.177.11 -n 4000000
guest_run g1 "ethtool -k v77 | grep -E '^(tx-checksumming|scatter-gather|tcp-segmentation)'"
if [ "$FRONT" = ours ]; then
	check vlan-tso net_has g1 v77 tcp-segmentation-offload on
	check vlan-sg net_has g1 v77 scatter-gather on
fi
check vlan-off guest_run g1 "$NET_IP link del v77"
ip link del v77

step "link down and up"
check down guest_run g1 "$NET_IP link set $NET_IF down"
check down-silent test "$(net_ping_guest g1 -W 1 >/dev/null; echo $?)" != 0
check up guest_run g1 "$NET_IP link set $NET_IF up"
check up-ping net_ping g1
check up-again guest_run g1 "for i in 1 2 3 4 5; do $NET_IP link set $NET_IF down && $NET_IP link set $NET_IF up || exit; done"
verify up
ip link set "$(net_vif g1)" down
if [ "$FRONT$BACK" = oursours ]; then check down-dom0-seen wait_until 5 carrier_is 0 || xs_key "$(net_be g1)/carrier"; fi
ip link set "$(net_vif g1)" up
check up-dom0 wait_until 5 carrier_is 1
check up-dom0-ping net_ping g1

step "another address and another name in the guest"
check rename guest_run g1 "$NET_IP link set $NET_IF down && $NET_IP link set $NET_IF name wan0 &&
	$NET_IP link set wan0 address 02:16:3e:01:02:03 up"
check rename-ping net_ping g1
check rename-back guest_run g1 "$NET_IP link set wan0 down && $NET_IP link set wan0 name $NET_IF &&
	$NET_IP link set $NET_IF address $(net_mac g1) up"
check rename-back-ping net_ping g1

step "multicast filter"
group=01:00:5e:01:02:03
arrives() { # ADDRESS - do frames to it reach the guest?
	guest_bg g1 gen "netgen recv $NET_IF -k raw -n 20 -w 0 -i 1"
	sleep 0.1
	netgen send $NET_BRIDGE "$1" -k raw -n 20 -w 0 -g 1000 >/dev/null
	guest_wait g1 gen >/run/arrives
	grep -o 'packets [0-9]*' /run/arrives
}
check group-broadcast test "$(arrives ff:ff:ff:ff:ff:ff)" = "packets 20"
if [ "$FRONT" = ours ]; then
	check group-filtered test "$(arrives $group)" = "packets 0"
else
	skip group-filtered "the in-tree front asks for no filter"
fi
guest_run g1 "$NET_IP maddr add $group dev $NET_IF"
check group-joined test "$(arrives $group)" = "packets 20"
guest_run g1 "$NET_IP maddr del $group dev $NET_IF"
[ "$FRONT" != ours ] || check group-left test "$(arrives $group)" = "packets 0"
guest_run g1 "$NET_IP link set $NET_IF promisc on"
check group-promisc test "$(arrives $group)" = "packets 20"
guest_run g1 "$NET_IP link set $NET_IF promisc off
	for i in \$(seq 10 89); do $NET_IP maddr add 01:00:5e:02:02:\$i dev $NET_IF; done"
# More than the backend's list holds: the filter goes, once the front has seen it.
check group-many wait_until 5 eval '[ "$(arrives 01:00:5e:02:02:89)" = "packets 20" ]'
guest_run g1 "for i in \$(seq 10 89); do $NET_IP maddr del 01:00:5e:02:02:\$i dev $NET_IF; done"
check group-ping net_ping g1

step "ethtool"
guest_run g1 "for o in -i -S -l -g -c -T -k -x; do echo \"# \$o\"; ethtool \$o $NET_IF; done" 2>&1
for o in -i -S -l -g -c -T; do
	echo "# dom0 $o"
	ethtool $o "$(net_vif g1)" 2>&1
done
check ethtool-stats guest_run g1 "ethtool -S $NET_IF"
if [ "$BACK" = ours ]; then
	vif=$(net_vif g1)
	check back-coalesce-adaptive eval 'ethtool -c $vif | grep -E "^Adaptive RX: (off|n/a)  TX: on"'
	check back-coalesce-held ethtool -C "$vif" adaptive-tx off tx-usecs 200
	verify back-coalesce
	check back-coalesce-counted eval 'ethtool -S $vif | grep -E "guest_rx_[0-9]_held: [1-9]"'
	check back-coalesce-too-long test "$(ethtool -C "$vif" tx-usecs 10001 2>/dev/null; echo $?)" != 0
	check back-coalesce-back ethtool -C "$vif" adaptive-tx on tx-usecs 64
fi
if [ "$FRONT" = ours ]; then
	check ethtool-driver guest_run g1 "ethtool -i $NET_IF | grep '^driver: netfront' && ethtool -i $NET_IF | grep '^bus-info: vif-0'"
	check ethtool-counted guest_run g1 "ethtool -S $NET_IF | grep -E 'queue_0_rx_packets: [1-9]'"
	check ethtool-rings guest_run g1 "ethtool -g $NET_IF"
	check coalesce-adaptive guest_run g1 "ethtool -c $NET_IF | grep '^Adaptive RX: on'"
	check coalesce-held guest_run g1 "ethtool -C $NET_IF adaptive-rx off rx-usecs 200 rx-frames 32"
	verify coalesce
	check coalesce-counted guest_run g1 "ethtool -S $NET_IF | grep -E 'rx_held: [1-9]'"
	check coalesce-too-long test "$(guest_run g1 "ethtool -C $NET_IF rx-usecs 10001 2>/dev/null; echo \$?")" != 0
	check coalesce-back guest_run g1 "ethtool -C $NET_IF adaptive-rx on rx-usecs 64 rx-frames 64"
	check ethtool-timestamps guest_run g1 "ethtool -T $NET_IF | grep software-transmit"
	check channels-agreed test "$(net_queues g1)" = 2
	check channels-one guest_run g1 "ethtool -L $NET_IF combined 1"
	one() { net_connected g1 && [ "$(net_queues g1)" = 1 ]; }
	two() { net_connected g1 && [ "$(net_queues g1)" = 2 ]; }
	check channels-one-agreed wait_until 10 one
	check channels-one-ping net_ping g1
	check channels-two guest_run g1 "ethtool -L $NET_IF combined 2"
	check channels-two-agreed wait_until 10 two
	verify channels
	check channels-too-many test "$(guest_run g1 "ethtool -L $NET_IF combined 9 2>/dev/null; echo \$?")" != 0
fi
if [ "$BACK" = ours ]; then
	check ethtool-dom0-driver grep -q '^driver: netback' <<<"$(ethtool -i "$(net_vif g1)")"
	check ethtool-dom0-counted grep -qE 'guest_tx_0_packets: [1-9]' <<<"$(ethtool -S "$(net_vif g1)")"
fi
check detach net_detach g1
check held test "$(net_held)" = "$before"
check unload net_back_unload
