# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# The data suite over combinations of front, back, queues, ring order and persistent grants.

# What was agreed must be what was asked for, or the combination is not the one it says.
blk_agreed() { # NAME DISK QUEUES ORDER PERSISTENT(front) PERSISTENT(back)
	local fe be q
	fe=$(blk_fe "$1" "$2") be=$(blk_be "$1" "$2")
	q=$(xs_key "$fe/multi-queue-num-queues")
	[ "${q:-1}" = "$3" ] || { echo "$q queues, not $3"; return 1; }
	q=$(xs_key "$fe/ring-page-order")
	[ "${q:-0}" = "$4" ] || { echo "order $q, not $4"; return 1; }
	q=$(xs_key "$fe/feature-persistent")$(xs_key "$be/feature-persistent")
	[ "$q" = "$5$6" ] || { echo "persistent $q, not $5$6"; return 1; }
}

# blk_cell NAME FRONT BACK QUEUES ORDER PERSISTENT(front) PERSISTENT(back)
blk_cell() {
	local tag="$2-on-$3-q$4-o$5-p$6$7"
	step "front $2 on back $3: $4 queues, order $5, persistent $6 and $7"
	blk_back "$3" "max_queues=$4" "max_ring_page_order=$5" "feature_persistent=$7" &&
		blk_front "$1" "$2" "max_queues=$4" "max_ring_page_order=$5" "feature_persistent=$6" || {
		fail "$tag" "drivers"
		return
	}
	check "$tag-attach" blk_attach "$1" /dev/ram0 xvda || return
	check "$tag-agreed" blk_agreed "$1" xvda "${@:4}"
	blk_data "$1" xvda /dev/ram0 "$tag"
	check "$tag-detach" blk_detach "$1" xvda
}

# blk_matrix NAME "CELL"...
blk_matrix() {
	local name=$1 cell
	shift
	for cell; do
		# shellcheck disable=SC2086 # words are wanted
		blk_cell "$name" $cell
	done
}

# blk_matrix_some "CELL"... with a guest of its own
blk_matrix_some() {
	step "guest"
	backing_ram 64 || die "brd"
	blk_guest g1 || die "guest"
	check seed blk_seed g1
	blk_matrix g1 "$@"
}

# Every combination, with a PV and a PVH guest of the run's kernel.
blk_matrix_all() {
	local -a cells=()
	local pair queues order persistent type
	for pair in "ours ours" "ours intree" "intree ours"; do
		for queues in 1 2; do
			for order in 0 4; do
				for persistent in "1 1" "0 1" "1 0"; do
					cells+=("$pair $queues $order $persistent")
				done
			done
		done
	done
	backing_ram 64 || die "brd"
	for type in pv pvh; do
		step "guest, $type"
		blk_guest "$type" "$type" || die "guest"
		check "$type-seed" blk_seed "$type"
		blk_matrix "$type" "${cells[@]}"
		guest_destroy "$type"
	done
}
