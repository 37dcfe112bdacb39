# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# Traffic whose every byte is checked, over combinations of front, back, queues and offloads.

# What ethtool -K is told in the guest, and in dom0 for its end.
declare -A NET_OFFLOADS=(
	[all]="|"
	[tx-off]="tx off|"
	[sg-off]="sg off|"
	[tso-off]="tso off|"
	[rx-off]="rx off gro off|"
	[dom0-tx-off]="|tx off"
	[dom0-sg-off]="|sg off"
	[dom0-tso-off]="|tso off gro off"
	[none]="tx off sg off tso off gso off rx off gro off|tx off sg off tso off gso off gro off"
)
NET_OFFLOADS_ALL="all tx-off sg-off tso-off rx-off dom0-tx-off dom0-sg-off dom0-tso-off none"

# Without sg the in-tree front drops what lies across two pages, which is up to chance.
net_may_drop() { # TAG
	case $1 in intree-on-*-q[0-9]-sg-off | intree-on-*-none) true ;; *) false ;; esac
}

# Frames, and streams of odd pieces, both ways: net_verify NAME TAG
net_verify() {
	local opts="-n 120 -x 65549 -s $((LAB_SEED + NET_ROUND++))"
	# shellcheck disable=SC2086 # words
	{
		if net_may_drop "$2"; then
			skip "$2-frames-out" "the in-tree front drops packets across pages without sg"
		else
			check "$2-frames-out" net_frames_out "$1" $opts
		fi
		check "$2-frames-in" net_frames_in "$1" $opts
	}
	check "$2-stream-out" net_data "$1" out stream "$NET_HERE" -n 2000000
	check "$2-stream-in" net_data "$1" in stream "$(net_ip6 "$1")" -n 2000000
}
NET_ROUND=0

# What was off before is on again afterwards.
net_with_offloads() { # NAME TAG WHICH
	local guest=${NET_OFFLOADS[$3]%|*} dom0=${NET_OFFLOADS[$3]#*|} vif
	vif=$(net_vif "$1")
	[ -z "$guest" ] || net_features "$1" "$NET_IF" $guest >/run/ethtool 2>&1 || note "$2 guest: $(tail -n 1 /run/ethtool)"
	[ -z "$dom0" ] || net_features dom0 "$vif" $dom0 >/run/ethtool 2>&1 || note "$2 dom0: $(tail -n 1 /run/ethtool)"
	net_verify "$1" "$2-$3"
	[ -z "$guest" ] || net_features "$1" "$NET_IF" ${guest//off/on} >/dev/null 2>&1
	[ -z "$dom0" ] || net_features dom0 "$vif" ${dom0//off/on} >/dev/null 2>&1
}

net_queue_used() { # VIF QUEUE - interrupts of that queue, of whatever driver
	awk -v name="$1-q$2" 'index($NF, name) == 1 { for (i = 2; i < NF; i++) if ($i ~ /^[0-9]+$/) n += $i } END { print n; exit !(n > 20) }' /proc/interrupts
}

# net_cell NAME FRONT BACK QUEUES OFFLOADS...
net_cell() {
	local name=$1 tag="$2-on-$3-q$4" which q
	step "front $2 on back $3, $4 queues"
	net_back "$3" "max_queues=$4" && net_front "$1" "$2" "max_queues=$4" || {
		fail "$tag" "drivers"
		return
	}
	check "$tag-attach" net_attach "$1" || return
	check "$tag-agreed" test "$(net_queues "$1")" = "$4"
	check "$tag-ping" net_ping "$1"
	check "$tag-ping6" net_ping6 "$1"
	check "$tag-ping-from-dom0" net_ping_guest "$1" -s 9000
	for which in "${@:5}"; do
		step "$tag: $which"
		net_with_offloads "$name" "$tag" "$which"
	done
	if [ "$4" -gt 1 ]; then
		check "$tag-parallel-out" net_iperf "$1" out 8 -P 6
		check "$tag-parallel-in" net_iperf "$1" in 8 -P 6
		for q in $(seq 0 $(($4 - 1))); do
			check "$tag-queue-$q-used" net_queue_used "$(net_vif "$1")" "$q"
		done
	fi
	check "$tag-detach" net_detach "$1"
}

net_matrix() { # NAME "CELL"...
	local name=$1 cell
	shift
	for cell; do
		# shellcheck disable=SC2086 # words are wanted
		net_cell "$name" $cell
	done
}

# net_matrix_some "CELL"... with a guest of its own; of other drivers than ours, all that matters
net_matrix_some() {
	[ "$FRONT$BACK" = oursours ] ||
		set -- "$FRONT $BACK 2 $NET_OFFLOADS_ALL" "$FRONT $BACK 1 all none"
	net_bridge || die "bridge"
	step "guest"
	net_guest g1 || die "guest"
	net_matrix g1 "$@"
}

# Every combination, with a PV and a PVH guest of the run's kernel.
net_matrix_all() {
	local -a cells=()
	local pair queues type
	for pair in "ours ours" "ours intree" "intree ours"; do
		for queues in 1 2; do
			cells+=("$pair $queues $NET_OFFLOADS_ALL")
		done
	done
	net_bridge || die "bridge"
	for type in pv pvh; do
		step "guest, $type"
		net_guest "g$((${#type} - 1))" "$type" || die "guest"
		net_matrix "g$((${#type} - 1))" "${cells[@]}"
		guest_destroy "g$((${#type} - 1))"
	done
}
