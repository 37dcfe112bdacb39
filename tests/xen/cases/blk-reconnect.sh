# about: the backend's module is unloaded and loaded, also for the in-tree one, while a guest is connected and under load
# tags: check blk
# guest-kernel: 6.12
# guest-type: pvh
# smp: 2
# modules: ours
# files: lib/blk.sh lib/vbd-script
# limit: 900
# shellcheck disable=SC1091
. /job/blk.sh

# away ROUND TO [PARAMETER...] - under load, the backend goes and after a while TO comes
away() {
	local tag="$2-$1" to=$2
	step "round $1: to $to ${*:3}"
	blk_load g1 xvda load 3
	pause "$1" 1200
	check "$tag-runs" guest_running g1 load
	check "$tag-unload" blk_back_unload
	sleep 1
	# Nothing fails meanwhile; it waits.
	check "$tag-waits" guest_running g1 load
	check "$tag-disk-stays" guest_run g1 "[ -b /dev/xvda ] && grep -q 131072 /sys/block/xvda/size"
	check "$tag-load" load_backend "$to" vbd "${@:3}"
	check "$tag-connected" wait_until 20 blk_connected g1 xvda
	check "$tag-agreed" blk_has_queues g1 xvda "$((LAB_SMP - ($# > 2)))"
	check "$tag-verified" blk_load_end g1 load 120
	check "$tag-content" blk_load_here /dev/ram0
}

backing_ram 64 || die "brd"
blk_back ours || die "backend"
step "guest"
blk_guest g1 || die "guest"
check seed blk_seed g1
blk_front g1 "$BLK_FRONT" || die "front"
check attach blk_attach g1 /dev/ram0 xvda || die "attach"

step "idle"
check idle-unload blk_back_unload
check idle-load load_backend ours vbd
check idle-connected wait_until 20 blk_connected g1 xvda
check idle-fs blk_fs g1 xvda /dev/ram0

away 1 ours
away 2 ours max_queues=1 max_ring_page_order=0 feature_persistent=0
away 3 intree max_queues=1 max_ring_page_order=0
away 4 ours
check end-fs blk_fs g1 xvda /dev/ram0

step "a mounted file system stays"
guest_run g1 "mount /dev/xvda /mnt && cp /run/src/all /mnt/new" || die "mount"
check mounted-unload blk_back_unload
check mounted-load load_backend ours vbd
check mounted-connected wait_until 20 blk_connected g1 xvda
check mounted-write guest_run g1 "sync && cmp /run/src/all /mnt/new && umount /mnt && e2fsck -fn /dev/xvda"
check detach blk_detach g1 xvda
check unload blk_back_unload
