# about: save and restore under a verifying load, to the same and to other backends with fewer features
# tags: check blk
# guest-type: pv
# smp: 2
# modules: ours
# files: lib/blk.sh lib/vbd-script
# limit: 900
# shellcheck disable=SC1091
. /job/blk.sh

# move ROUND BACKEND [PARAMETER...]
move() {
	local tag="$2-$1"
	step "round $1: to $2 ${*:3}"
	blk_load g1 xvda load 8
	pause "$1" 1000
	check "$tag-runs" guest_running g1 load
	check "$tag-save" guest_save g1 /scratch/g1.save || return
	check "$tag-back" blk_back "${@:2}" || return
	check "$tag-restore" guest_restore g1 /scratch/g1.save || return
	check "$tag-still-runs" guest_running g1 load
	check "$tag-connected" wait_until 20 blk_connected g1 xvda
	check "$tag-agreed" blk_has_queues g1 xvda "$((LAB_SMP - ($# > 2)))"
	check "$tag-verified" blk_load_end g1 load 120
	check "$tag-content" blk_load_here /dev/ram0
	check "$tag-mounted" guest_run g1 "cd /mnt/d && sync && echo 3 >/proc/sys/vm/drop_caches &&
		md5sum -c /run/src.md5 >/dev/null"
}

backing_ram 64 2 || die "brd"
blk_back ours || die "backend"
step "guest"
GUEST_MEM=256 guest_create g1 "load=$(front_modules vbd "$BLK_FRONT")" "disk=['$(blk_spec /dev/ram0 xvda)', '$(blk_spec /dev/ram1 xvdb)']" || die "guest"
check seed blk_seed g1
check fs blk_fs g1 xvdb /dev/ram1
guest_run g1 "mount /dev/xvdb /mnt" || die "mount"

move 1 ours
move 2 ours max_queues=1 max_ring_page_order=0 feature_persistent=0
move 3 intree max_queues=1 max_ring_page_order=0 feature_persistent=0
move 4 ours
check poweroff guest_poweroff g1
check unload blk_back_unload
