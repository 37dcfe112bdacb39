# about: rogue frontends and backends follow their scripts: their victims stay silent and whole, a neighbour hardly slower
# tags: check hostile blk net
# guest-type: pvh
# modules: ours
# files: lib/rogue.sh lib/net.sh lib/blk.sh lib/vif-script lib/vbd-script
# guest-tools: net rogue
# limit: 900
# The victim of a frontend is dom0, that of a backend is g2, which is the neighbour of them all.
# shellcheck disable=SC1091
. /job/rogue.sh
: "${ROLES:=blk-front net-front blk-back net-back}" "${SEEDS:=1..1}" "${STEPS:=15}"

# Interrupts, threads and devices of backends, and of the frontends in g2.
held() {
	echo "interrupts $(grep -cE 'blkif|blkback|netback|vif[0-9]' /proc/interrupts)"
	echo "threads $(cat /proc/[0-9]*/comm 2>/dev/null | grep -cE '^[0-9]+\.xvd|^vif[0-9]|^(blk|net)back')"
	echo "interfaces" /sys/class/net/vif*
	# shellcheck disable=SC2046 # on one line
	echo "in g2" $(guest_run g2 "awk '\$2 ~ /^[0-9]+\$/ && /event/ { print \$NF }' /proc/interrupts
		ls /sys/block /sys/class/net; cat /proc/[0-9]*/comm | grep -E '^(blk|net)front|^vif|xvd'")
}
same_held() { [ "$(held)" = "$before" ]; }
left() { # TAG
	must "$1-left" wait_until 20 same_held || busybox diff <(echo "$before") <(held)
}
victim_free() { guest_run g2 "echo 3 >/proc/sys/vm/drop_caches; awk '/^MemFree/ { print int(\$2 / 1024) }' /proc/meminfo"; }
# What kernels say must be recorded of in-tree victims, and is judged by the lab for ours.
said() {
	[ "$VICTIM" = ours ] && return
	{ dmesg; guest_run g2 dmesg; } | grep -E 'BUG|WARNING|Oops|blocked for more' | sort | uniq -c |
		while read -r line; do note "in-tree: trouble: $line"; done
}
# Something that disturbs the role while it runs: traffic for it to deal with.
busy() { # ROLE
	case $1 in
	net-front)
		while netgen send "$NET_BRIDGE" "$(net_mac g1)" -k raw -n 20 -m 60 -x 20000 -w 0; do sleep 0.1; done >/dev/null 2>&1 &
		;;
	*-back) rogue_use "$1" ;;
	esac
}
busy_end() { # ROLE
	case $1 in
	net-front) kill $! && wait $! ;;
	*-back) must "$1-use-ended" rogue_use_end ;;
	esac
}

[ "$VICTIM" = ours ] || allow_dmesg . "in-tree drivers are here to compare"
rogue_setup
before=$(held)
read -r dom0_free xen_free < <(free_mb)
guest_free=$(victim_free)
for role in $ROLES; do
	busy "$role"
	rogue_role "$role" "$SEEDS" "$STEPS"
	busy_end "$role"
	left "$role"
	guest_run g2 true || {
		must "$role-victim" false
		break
	}
done
read -r dom0_now xen_now < <(free_mb)
note "free MB in dom0: $dom0_free, then $dom0_now; in g2 $guest_free, then $(victim_free); in Xen: $xen_free, then $xen_now"
must memory-of-dom0 test "$dom0_now" -ge $((dom0_free - 8))
must memory-of-victim test "$(victim_free)" -ge $((guest_free - 8))

# XSA-331, XSA-350: channels and rings end while they are used. What would be a use after free is a
# trouble in the log; what is not ended is left.
step "all of them at once, and then their domain is gone"
for role in $ROLES; do
	rogue_attach "$role"
	guest_bg g1 "$role" "rogue $role $(rogue_dir "$role") --seed $(rogue_last "$SEEDS") --steps 1000"
done
sleep 1.2
xl destroy g1
for role in $ROLES; do
	case $role in *-back)
		xenstore-rm "$(rogue_fe "$role")"
		must "$role-gone" rogue_gone "$role"
		;;
	esac
done
unset "GUEST_ID[g1]" "GUEST_TTY[g1]"
left destroyed

step "what is left"
must neighbour-disk guest_run g2 "touch /run/stop; dd if=/dev/xvda of=/dev/null bs=64k count=16 iflag=direct"
must neighbour-ping net_ping g2
said
must disk-detach blk_detach g2 xvda
must interface-detach net_detach g2
# A device that is gone from the bus may hold its module for another moment.
must front-unload guest_run g2 "n=50
	for m in netfront blkfront xsplit xen_netfront xen_blkfront; do
		until [ ! -d /sys/module/\$m ] || rmmod \$m; do
			n=\$((n - 1)); [ \$n -gt 0 ] || { lsmod; exit 1; }; usleep 100000
		done
	done"
guest_destroy g2
xl dmesg -c >/dev/null
xl debug-keys g
xl dmesg >"$LAB_LOG/grants.txt"
must no-grants awk '/gnttab_usage_print/ { seen = 1 } /remote d[1-9]/ { print; bad = 1 } END { exit !seen || bad }' "$LAB_LOG/grants.txt"
must back-unload eval 'net_back_unload && blk_back_unload'
