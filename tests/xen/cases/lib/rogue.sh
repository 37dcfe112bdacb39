# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# What the cases about hostile peers share. A case says
#	# files: lib/rogue.sh lib/net.sh lib/blk.sh lib/vif-script lib/vbd-script
#	# guest-tools: net rogue
# The rogue (tools/rogue) is in g1, of which nobody expects anything. g2 is honest and has a disk
# and an interface of dom0: the neighbour, and with the rogue as a backend also the victim.
#
# VICTIM=ours|intree; SEEDS=A..B and STEPS of a run.

# shellcheck disable=SC1091
. /job/net.sh
# shellcheck disable=SC1091
. /job/blk.sh
: "${VICTIM:=ours}"

ROGUE_DISK=xvdb

# A check that an in-tree victim may fail: that is said, and is no failure of ours.
must() { # NAME COMMAND...
	if [ "$VICTIM" = ours ]; then
		check "$@"
	elif ! "${@:2}"; then
		note "in-tree: trouble: $1"
		return 1
	fi
}

rogue_first() { echo "${1%%..*}"; } # A..B
rogue_last() { echo "${1##*..}"; }

# Both guests, the honest one with its devices.
rogue_setup() {
	backing_ram 16 2
	# Memory is counted later.
	dd if=/dev/zero of=/dev/ram0 bs=1M conv=fsync 2>/dev/null
	dd if=/dev/zero of=/dev/ram1 bs=1M conv=fsync 2>/dev/null
	net_bridge || die "bridge"
	blk_back "$VICTIM" || die "block backend"
	net_back "$VICTIM" || die "network backend"
	step "guests"
	net_guest g1 || die "g1"
	guest_run g1 "modprobe -a xen-evtchn xen-gntalloc xen-gntdev" || die "devices"
	net_guest g2 || die "g2"
	blk_front g2 "$VICTIM" || die "block front"
	net_front g2 "$VICTIM" || die "network front"
	blk_attach g2 /dev/ram0 xvda || die "disk"
	net_attach g2 || die "interface"
	guest_bg g2 neighbour "rogue load /dev/xvda $NET_HERE >/run/speed"
	rogue_speed_begin
	sleep 1
	rogue_alone=$(echo 0 9999999999999999 | rogue_speed)
	note "the neighbour's reads and pings per second, nobody beside (and how often it was asked): $rogue_alone"
}

# Reads and pings of the neighbour per second while the rogue was at work, and how often it was
# asked. Standard input: when that was.
rogue_speed_begin() { guest_run g2 "touch /run/measure"; }
rogue_speed() {
	guest_run g2 "rm /run/measure; awk '
		NR == FNR { from[NR] = \$1; to[NR] = \$2; next }
		NF == 5 { for (i in from) if (\$1 >= from[i] && \$1 < to[i]) { b += \$2; bt += \$3; n += \$4; nt += \$5; k++ } }
		END { if (k) printf \"%d %d %d\n\", b * 1e6 / bt, n * 1e6 / nt, k }' - /run/speed <<END
$(cat)
END
		: >/run/speed"
}
rogue_times() { guest_run g1 "sed -n 's/^at //p' /run/rogue.log"; }

# Between its steps a rogue leaves its victim PACE ms; so there is half of the speed left.
PACE=60
# rogue_neighbour TAG SPEED
rogue_neighbour() {
	note "$1: the neighbour's reads and pings per second: $2"
	must "$1-neighbour" rogue_enough "$rogue_alone $2"
}
rogue_enough() { # "READS PINGS SAMPLES READS PINGS SAMPLES" - alone, and beside a rogue
	awk 'NF != 6 || $3 < 5 || $6 < 5 || $4 < $1 / 2 || $5 < $2 / 2 { exit 1 }' <<<"$1"
}

# --- the rogue's device ------------------------------------------------------------------

rogue_vbd() { blk_vdev $ROGUE_DISK; }
rogue_be() { echo "/local/domain/${GUEST_ID[g1]}/$(rogue_dir "$1")"; } # of a rogue backend
rogue_fe() { case $1 in blk*) blk_fe g2 $ROGUE_DISK ;; net*) net_fe g2 1 ;; esac } # its victim
rogue_dir() { # ROLE - where the rogue's keys are, for the rogue
	case $1 in
	blk-front) echo "device/vbd/$(rogue_vbd)" ;;
	net-front) echo device/vif/0 ;;
	blk-back) echo "backend/vbd/${GUEST_ID[g2]}/$(rogue_vbd)" ;;
	net-back) echo "backend/vif/${GUEST_ID[g2]}/1" ;;
	esac
}

rogue_attach() { # ROLE
	local -a spec
	read -ra spec < <(net_spec g1 | tr , ' ')
	case $1 in
	blk-front) xl block-attach g1 "$(blk_spec /dev/ram1 $ROGUE_DISK)" ;;
	net-front) xl network-attach g1 "${spec[@]}" ;;
	*) rogue_by_hand "$1" ;;
	esac
}
rogue_detach() { # ROLE
	case $1 in
	blk-front)
		xl block-detach g1 $ROGUE_DISK
		wait_until 20 xs_no_key "$(blk_be g1 $ROGUE_DISK)"
		;;
	net-front)
		xl network-detach g1 0
		wait_until 20 xs_no_key "$(net_be g1)"
		;;
	*) rogue_by_hand_rm "$1" ;;
	esac
}

# A device of g2 whose backend is to be in g1; no toolstack there.
rogue_by_hand() { # ROLE
	local be fe me=${GUEST_ID[g2]} it=${GUEST_ID[g1]}
	be=$(rogue_be "$1") fe=$(rogue_fe "$1")
	# What is in a directory inherits its permissions.
	xenstore-write "$be" "" "$fe" "" && xenstore-chmod "$be" "n$it" "r$me" && xenstore-chmod "$fe" "n$me" "r$it" &&
		xenstore-write "$be/frontend" "$fe" "$be/frontend-id" "$me" "$be/online" 1 "$be/state" 1 \
			"$fe/backend" "$be" "$fe/backend-id" "$it" "$fe/virtual-device" "$(rogue_vbd)" \
			"$fe/device-type" disk "$fe/handle" 1 "$fe/mac" "$(net_mac g2 1)" &&
		xenstore-write "$fe/state" 1
}
rogue_by_hand_rm() { # ROLE
	local be fe
	be=$(rogue_be "$1") fe=$(rogue_fe "$1")
	# As a toolstack does.
	xenstore-write "$be/online" 0 "$be/state" 5
	wait_until 10 xs_is "$fe/state" 6
	xenstore-rm "$fe"
	xenstore-rm "$be"
	rogue_gone "$1"
}
rogue_gone() { # ROLE - the device of the victim
	case $1 in
	blk*) blk_wait_gone g2 $ROGUE_DISK ;;
	net*) net_wait_gone g2 1 ;;
	esac
}

# What the victim of a rogue backend does with its device as long as there is one.
rogue_use() { # ROLE
	case $1 in
	blk-back)
		guest_bg g2 use "while [ ! -e /run/use.stop ]; do
			usleep 50000
			[ ! -b /dev/$ROGUE_DISK ] || timeout 60 fio --name=u --filename=/dev/$ROGUE_DISK --rw=randrw \
				--bssplit=512/10:4k/60:44k/20:160k/10 --direct=1 --ioengine=libaio --iodepth=8 \
				--fsync=16 --time_based --runtime=1 --minimal
			done"
		;;
	net-back)
		guest_bg g2 use "while [ ! -e /run/use.stop ]; do
			usleep 100000
			d=\$(grep -l $(net_mac g2 1) /sys/class/net/*/address) || continue
			d=\${d%/address} d=\${d##*/}
			$NET_IP link set \$d up && $NET_IP addr add $(net_ip g2 1)/24 dev \$d
			$NET_IP neigh replace 192.168.78.1 lladdr 02:00:00:00:78:01 dev \$d
			timeout 60 netgen send \$d 02:00:00:00:78:01 -k raw -n 40 -m 60 -x 60000 -w 0
			done"
		;;
	esac
}
rogue_use_end() { guest_run g2 "touch /run/use.stop"; guest_wait g2 use 90 >/run/use.out; guest_run g2 "rm /run/use.stop"; }

# --- its runs ----------------------------------------------------------------------------

# One run of the rogue in g1; its exit code. rogue_run ROLE DIR A..B STEPS [OPTION]
rogue_run() {
	guest_bg g1 rogue "rogue $1 $2 --seed $3 --steps $4 $5 -v >/run/rogue.log; rc=\$?
		grep -vE '^[0-9]+/|^at' /run/rogue.log; [ \$rc = 0 ] || [ \$rc = 3 ] || tail -n 6 /run/rogue.log; exit \$rc"
	guest_wait g1 rogue 600
}

# All seeds of a role: rogue_role blk-front|net-front|blk-back|net-back A..B STEPS. A victim may
# have had enough of a peer; then it gets a new device for the next seed.
rogue_role() {
	local role=$1 first last rc bad=0 out speed lost=0 dir times=
	first=$(rogue_first "$2") last=$(rogue_last "$2") dir=$(rogue_dir "$role")
	step "$role: seeds $2, $3 steps each"
	check "$role-attach" rogue_attach "$role" || return
	check "$role-honest" rogue_run "$role" "$dir" 1 0 --honest
	rogue_speed_begin
	while :; do
		out=$(rogue_run "$role" "$dir" "$first..$last" "$3" "--pace $PACE")
		rc=$?
		times+=$(rogue_times)$'\n'
		while read -r line; do note "$role: $line"; done <<<"$out"
		case $rc in
		0) ;;
		3) lost=$((lost + 1)) ;;
		*) bad=$rc ;;
		esac
		first=$(sed -n 's/^next //p' <<<"$out")
		[ "${first:-$((last + 1))}" -le "$last" ] || break
		rogue_detach "$role" || break
		rogue_attach "$role" || break
	done
	speed=$(rogue_speed <<<"$times")
	note "$role: $VICTIM: $lost devices lost, last exit code $rc"
	# A frontend may give a backend up for good. What one run complained of, a later one does not mend.
	[ $bad = 0 ] || rc=$bad
	case $role.$rc in
	*-front.0 | *-back.[03]) must "$role-no-complaint" true ;;
	*) must "$role-no-complaint" false ;;
	esac
	rogue_neighbour "$role" "$speed"
	must "$role-detach" rogue_detach "$role"
}
