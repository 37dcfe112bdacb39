# about: what an idle disk and an idle interface cost, ours beside in-tree: memory, mapped grants, wakeups
# tags: bench
# dom0-kernel: 6.1
# modules: ours
# files: ../xen/cases/lib/blk.sh ../xen/cases/lib/vbd-script ../xen/cases/lib/net.sh ../xen/cases/lib/vif-script
# guest-tools: net
# limit: 1200
#
# A guest gets DEVICES disks, or as many interfaces, each with one queue and rings of one page. Memory is what
# the kernels of dom0 and guest have taken, per device, after as many have come and gone, which leaves what is
# taken once; it is looked at when the devices are new, and again when each has been used and has had IDLE (virtual)
# seconds to give back what it took. Wakeups are interrupts of the devices and switches to their threads on both
# sides in as much time after that.
# Settings: TYPES, KINDS (vbd vif), PAIRS (back:front), DEVICES, IDLE; ROWS, if set, must have "idle".
# shellcheck disable=SC1091,SC2016
. /job/blk.sh
. /job/net.sh

TYPES=${TYPES:-pvh pv}
KINDS=${KINDS:-vbd vif}
PAIRS=${PAIRS:-intree:intree ours:ours}
DEVICES=${DEVICES:-8} IDLE=${IDLE:-200}
declare -A COST

# What the kernel itself has taken: neither programs nor caches of files, nor free pages that a CPU keeps at hand,
# nor slabs without an object.
kernel_kb() { # NAME|dom0
	local look='sync; echo 3 >/proc/sys/vm/drop_caches; sleep 0.2; echo 3 >/proc/sys/vm/drop_caches
		for c in /sys/kernel/slab/*/shrink; do echo 1 >"$c"; done
		awk "/^MemTotal/ { n = \$2 } /^(MemFree|Buffers|Cached|AnonPages):/ { n -= \$2 }
			/^ +count:/ { n -= \$2 * 4 } END { print n }" /proc/meminfo /proc/zoneinfo'
	if [ "$1" = dom0 ]; then sh -c "$look"; else guest_run "$1" "$look"; fi
}

# Interrupts of devices, and switches of the threads that serve them.
DEVICE_IRQS='blkif|blkback|vbd-|vif[0-9-]|eth[0-9]+-q|xvd'
wakeups() { # NAME|dom0
	local look="awk '/$DEVICE_IRQS/ { n += \$2 + (\$3 ~ /^[0-9]+\$/ ? \$3 : 0) } END { print n + 0 }' /proc/interrupts
		for p in /proc/[0-9]*; do
			read -r name <\$p/comm || continue
			case \$name in [0-9]*.xvd* | blkback.* | vif*) awk '/ctxt_switches/ { n += \$2 } END { print n }' \$p/status ;; esac
		done 2>/dev/null"
	{ if [ "$1" = dom0 ]; then sh -c "$look"; else guest_run "$1" "$look"; fi; } | awk '{ n += $1 } END { print n }'
}

mapped_grants() {
	xl dmesg -c >/dev/null
	xl debug-keys g
	xl dmesg | grep -cF '(XEN) [0x'
}

disk_name() { printf 'xvd%b' "\\x$(printf %x $((97 + $1)))"; } # INDEX

attach() { # KIND INDEX
	case $1 in
	vbd) blk_attach g1 "/dev/nullb$2" "$(disk_name "$2")" ;;
	vif) net_attach g1 "$2" ;;
	esac
}
detach() { # KIND INDEX
	case $1 in
	vbd) blk_detach g1 "$(disk_name "$2")" ;;
	vif) net_detach g1 "$2" ;;
	esac
}
use() { # KIND INDEX - so that it takes what it needs
	case $1 in
	vbd) guest_run g1 "fio --name=u --filename=/dev/$(disk_name "$2") --direct=1 --ioengine=libaio --iodepth=32 \
		--rw=randrw --bssplit=4k/50:64k/30:1m/20 --size=64m --io_size=64m --minimal >/dev/null" ;;
	vif)
		# Each interface has a network of its own: nothing is sent by another one, and without IPv6
		# no end looks for routers or tells groups when nobody uses it.
		echo 1 >"/proc/sys/net/ipv6/conf/$(net_vif g1 "$2")/disable_ipv6" &&
			guest_run g1 "echo 1 >/proc/sys/net/ipv6/conf/eth$2/disable_ipv6" &&
			ip link set "$(net_vif g1 "$2")" nomaster && ip addr add "10.77.$2.1/24" dev "$(net_vif g1 "$2")" &&
			ip link set "$(net_vif g1 "$2")" up && guest_run g1 "$NET_IP addr add 10.77.$2.2/24 dev eth$2 &&
			$NET_PING -q -c 200 -i 0.001 -s 1400 -l 60 10.77.$2.1"
		;;
	esac
}

each_device() { # KIND ACTION...
	local i action
	for i in $(seq 0 $((DEVICES - 1))); do
		for action in "${@:2}"; do "$action" "$1" "$i" || die "$action $1 $i"; done
	done
}

cost_of() { # NAME BEFORE AFTER
	COST[$1]=$((($3 - $2) / DEVICES))
	note "$1: ${COST[$1]} KiB"
}

measure() { # TYPE KIND BACK:FRONT
	local key="$1 $2 $3" back=${3%:*} front=${3#*:} d0 g0 w0 w1 map0
	guest_create g1 "$1" "load=crc32c_generic" memory=768 || die "guest"
	case $2 in
	vbd)
		if [ "$back" = ours ]; then blk_back ours max_ring_page_order=0; else blk_back intree; fi || die "backend"
		blk_front g1 "$front" || die "front"
		;;
	vif)
		net_back "$back" || die "backend"
		net_front g1 "$front" || die "front"
		;;
	esac
	each_device "$2" attach use
	each_device "$2" detach
	d0=$(kernel_kb dom0) g0=$(kernel_kb g1) map0=$(mapped_grants)
	each_device "$2" attach
	cost_of "$key new dom0" "$d0" "$(kernel_kb dom0)"
	cost_of "$key new guest" "$g0" "$(kernel_kb g1)"
	each_device "$2" use
	sleep "$IDLE"
	cost_of "$key idle dom0" "$d0" "$(kernel_kb dom0)"
	cost_of "$key idle guest" "$g0" "$(kernel_kb g1)"
	COST[$key grants]=$((($(mapped_grants) - map0) / DEVICES))
	w0=$(wakeups dom0) w1=$(wakeups g1)
	sleep "$IDLE"
	COST[$key wakeups dom0]=$(($(wakeups dom0) - w0))
	COST[$key wakeups guest]=$(($(wakeups g1) - w1))
	guest_destroy g1
	wait_until 15 unload_backends "$2" || die "backend left"
}

print_row() { # TYPE KIND WHAT
	local pair line base
	line=$(printf '%-4s %-4s %-14s' "$1" "$2" "$3")
	base=${COST[$1 $2 ${PAIRS%% *} $3]:-0}
	for pair in $PAIRS; do
		line+=$(awk -v v="${COST[$1 $2 $pair $3]:-0}" -v b="$base" 'BEGIN { printf " %12d", v
			if (b > 0) printf " %6.2f", v / b; else printf "      -" }')
	done
	note "$line"
}

case " ${ROWS:-idle} " in
*" idle "*) ;;
*)
	skip idle "not in ROWS"
	exit
	;;
esac
net_bridge || die "bridge"
modprobe null_blk nr_devices="$DEVICES" queue_mode=2 irqmode=0 gb=1 || die "no null_blk"
for type in $TYPES; do
	for kind in $KINDS; do
		for pair in $PAIRS; do
			step "$type, $kind, $pair"
			measure "$type" "$kind" "$pair"
			check "measured $type $kind $pair" [ -n "${COST[$type $kind $pair idle dom0]}" ]
		done
	done
done

note "$(printf '%-24s' "KiB, grants; for each device"; for pair in $PAIRS; do printf ' %19s' "$pair"; done)"
for type in $TYPES; do
	for kind in $KINDS; do
		for what in "new dom0" "new guest" "idle dom0" "idle guest" grants "wakeups dom0" "wakeups guest"; do
			print_row "$type" "$kind" "$what"
		done
	done
done
note "wakeups: of $DEVICES devices in $IDLE s"
