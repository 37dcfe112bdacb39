# about: guests destroyed in the middle of traffic leave no grant, page, thread, event channel, network device or xenstore node behind
# tags: check net
# guest-type: pv
# smp: 2
# modules: ours
# files: lib/net.sh lib/vif-script
# guest-tools: net
# limit: 900
# shellcheck disable=SC1091
. /job/net.sh

ROUNDS=${ROUNDS:-3}

same_held() { [ "$(net_held)" = "$before" ]; }
more() { [ "$(net_count dom0 "$(net_vif g1)" rx_packets)" -gt 30 ] && [ "$(net_count dom0 "$(net_vif g1)" tx_packets)" -gt 30 ]; }
flood() {
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
}

net_bridge || die "bridge"
net_back "$BACK" || die "backend"
before=$(net_held)
step "guest, kept as an image so that every round begins in the middle of its traffic"
GUEST_MEM=256 guest_create g1 "load=$(net_load "$FRONT")" "vif=['$(net_spec g1)', '$(net_spec g1 1)']" || die "guest"
for i in 1 0; do
	check "connected-$i" net_wait g1 $i || die "vif $i"
	check "up-$i" net_up g1 $i
	guest_bg g1 "flood$i" "while :; do netgen send $NET_IF $(net_here_mac) -w 0 -n 300 -x 65549 || usleep 50000; done"
done
sleep 0.3
check image guest_save g1 /scratch/g1.save || die "no image"
check image-left wait_until 15 same_held

read -r dom0_free xen_free < <(net_free_mb)
step "$dom0_free MB free in dom0, $xen_free in Xen"
for round in $(seq "$ROUNDS"); do
	step "round $round"
	check "restore-$round" guest_restore g1 /scratch/g1.save || break
	check "connected-$round" net_wait g1
	flood
	check "busy-$round" wait_until 10 more
	net_pause "$round" 300
	unset "GUEST_TTY[g1]"
	check "destroy-$round" xl destroy g1
	unset "GUEST_ID[g1]"
	flood_end
	check "left-$round" wait_until 20 same_held || {
		busybox diff <(echo "$before") <(net_held)
		xl list
	}
done
read -r dom0_now xen_now < <(net_free_mb)
note "free MB in dom0: $dom0_free, then $dom0_now; in Xen: $xen_free, then $xen_now"
check memory-of-xen test "$xen_now" -ge $((xen_free - 2))
check memory-of-dom0 test "$dom0_now" -ge $((dom0_free - 6))
xl dmesg -c >/dev/null
xl debug-keys g
xl dmesg >"$LAB_LOG/grants.txt"
check no-grants awk '/gnttab_usage_print/ { seen = 1 } /remote d[1-9]/ { print; bad = 1 } END { exit !seen || bad }' "$LAB_LOG/grants.txt"
check unload net_back_unload
check unloaded-interrupts test "$(grep -cE 'vif[0-9]+[.-]|netback' /proc/interrupts)" = 0
