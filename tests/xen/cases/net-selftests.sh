# about: the kernel's own selftests that fit a plain interface: GRO, UDP segmentation, receive hash
# tags: check net
# guest-kernel: 6.12
# guest-type: pvh
# modules: ours
# files: lib/net.sh lib/vif-script
# guest-tools: net selftests
# limit: 900
# shellcheck disable=SC1091
. /job/net.sh

for t in gro toeplitz udpgso_bench_rx udpgso_bench_tx; do
	command -v $t >/dev/null || {
		skip net-selftests "$t could not be built: no linux-source package"
		exit
	}
done

gro_test() { # 4|6 TEST - from dom0 to the guest, whose front merges; three tries, as the kernel's script
	local i
	for i in 1 2 3; do
		guest_bg g1 gro "timeout 20 gro --ipv$1 --rx --iface $NET_IF --dmac $(net_mac g1) --smac $(net_here_mac) --test $2 --verbose"
		sleep 0.3
		gro "--ipv$1" --iface $NET_BRIDGE --dmac "$(net_mac g1)" --smac "$(net_here_mac)" --test "$2" --verbose
		guest_wait g1 gro 30 && return
	done
	return 1
}

udpgso_test() { # 4|6 TX-OPTIONS -- RX-OPTIONS - guest to dom0
	local family=$1 address=$NET_HERE tx=() rc
	shift
	[ "$family" = 4 ] || address=$NET_HERE6
	while [ "$1" != -- ]; do
		tx+=("$1")
		shift
	done
	shift
	timeout 30 udpgso_bench_rx -C 3000 -R 20 "$@" >/run/udp.out 2>&1 &
	local receiver=$!
	sleep 0.3
	guest_run g1 "udpgso_bench_tx -$family -D $address ${tx[*]}"
	wait $receiver
	rc=$?
	cat /run/udp.out
	return $rc
}

net_begin_plugged
check ping6 net_ping6 g1

# Not csum: it wants 100 packets to wait in one socket's buffer, and checksums that are complete.
# Not gro's large: its packets are larger than what a bridge passes on.
step "GRO"
# Held until all of a test's packets are there, as the kernel's script does.
guest_run g1 "echo 100000 >/sys/class/net/$NET_IF/gro_flush_timeout; echo 1 >/sys/class/net/$NET_IF/napi_defer_hard_irqs"
for family in 4 6; do
	for t in data ack flags tcp ip; do
		check "gro-ip$family-$t" gro_test $family $t
	done
done
guest_run g1 "echo 0 >/sys/class/net/$NET_IF/gro_flush_timeout; echo 0 >/sys/class/net/$NET_IF/napi_defer_hard_irqs"

step "UDP segmentation"
check udpgso-4 udpgso_test 4 -M 10 -s 1400 -- -n 10 -l 1400
check udpgso-4-cut udpgso_test 4 -M 1 -s 14720 -S 0 -- -n 10 -l 1472
check udpgso-4-small udpgso_test 4 -M 1 -s 14500 -S 500 -- -n 29 -l 500
check udpgso-6-cut udpgso_test 6 -M 1 -s 14520 -S 0 -- -n 10 -l 1452

step "receive hash"
# Needs the control ring, so the front connects anew.
guest_run g1 "ethtool -K $NET_IF rxhash on" && sleep 1 && net_wait g1
key=$(guest_run g1 "ethtool -x $NET_IF 2>/dev/null" | sed -n '/hash key/{n;p}' | tr -d ' ')
if [ -n "$key" ] && net_has g1 "$NET_IF" receive-hashing on; then
	for family in 4 6; do
		address=$(net_ip g1)
		[ $family = 4 ] || address=$(net_ip6 g1)
		guest_bg g1 hash "timeout 20 toeplitz -$family -t -d 8000 -i $NET_IF -k $key -T 2000 -s -v"
		sleep 0.3
		# Connections that are refused: each SYN has another source port.
		for i in $(seq 20); do busybox nc -w 1 "$address" 8000 </dev/null >/dev/null 2>&1; done
		check "toeplitz-ip$family" guest_wait g1 hash 30
	done
else
	skip toeplitz "the front has no receive hash"
fi
check poweroff guest_poweroff g1
check unload net_back_unload
