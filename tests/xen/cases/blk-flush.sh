# about: flushes, FUA and barriers reach the backing device in order (dm-log-writes as witness); replay gives what was acknowledged
# tags: check blk
# guest-type: pvh
# smp: 2
# modules: ours
# files: lib/blk.sh lib/blk-flush.awk lib/vbd-script
# limit: 900
# shellcheck disable=SC1091
. /job/blk.sh

JOBS=3 REGION=512 UNIT=8
LOG=/run/flush.log

log_start() { # a fresh log under a fresh disk, /dev/mapper/lw
	blkdiscard -f /dev/ram1 2>/dev/null
	dd if=/dev/zero of=/dev/ram1 bs=4k count=1 oflag=direct 2>/dev/null
	dmsetup create lw --table "0 $(blockdev --getsz /dev/ram0) log-writes /dev/ram0 /dev/ram1"
}
log_stop() {
	dmsetup remove lw || return
	blockdev --flushbufs /dev/ram1
	logwrites list /dev/ram1 >"$LOG"
}

# Jobs side by side, each in its own region: load PER [FIO OPTION...]
load() {
	local per=$1
	shift
	guest_run g1 "fio --name=o --filename=/dev/xvda --rw=write --bs=$((UNIT * 512)) --numjobs=$JOBS \
		--size=$((REGION * 512)) --offset_increment=$((REGION * 512)) --direct=1 --ioengine=psync \
		--thread $* --minimal >/run/fio.out 2>&1 || { grep -v '^3;' /run/fio.out; exit 1; }"
}
ordered() { # PER
	awk -v region=$REGION -v unit=$UNIT -v per="$1" -v jobs=$JOBS \
		-v groups=$((REGION / UNIT / $1)) -f /job/blk-flush.awk "$LOG"
}
count() { # FLAG - entries of the log with it
	grep -c "^[0-9]* [A-Z]*$1" "$LOG"
}

# order TAG FLUSH BARRIER PER [FIO OPTION...] - with these two features, as the frontend sees them
order() {
	local tag=$1 flush=$2 barrier=$3 per=$4
	shift 4
	step "$tag"
	log_start || { fail "$tag" "dm-log-writes"; return; }
	check "$tag-attach" blk_attach_edited g1 /dev/mapper/lw xvda \
		"feature-flush-cache=$flush" "feature-barrier=$barrier" || return
	check "$tag-load" load "$per" "$@"
	blk_by_hand_rm g1 xvda
	check "$tag-gone" blk_wait_gone g1 xvda
	log_stop || { fail "$tag" "log"; return; }
}

backing_ram 64 3 || die "brd"
modprobe dm-log-writes || die "dm-log-writes"
step "guest"
blk_guest g1 || die "guest"
check seed blk_seed g1

blk_back ours || die "blkback"
blk_front g1 "$BLK_FRONT" || die "front"
order flush 1 1 4 --fsync=4 --end_fsync=1
check flush-ordered ordered 4
order dsync 1 0 1 --sync=dsync
check dsync-ordered ordered 1
order barrier 0 1 4 --fsync=4 --end_fsync=1
check barrier-ordered ordered 4
order barrier-dsync 0 1 1 --sync=dsync
check barrier-dsync-ordered ordered 1
# The witness itself: without either, nothing orders the writes.
order nothing 0 0 4 --fsync=4 --end_fsync=1
check nothing-is-noticed test "$(ordered 4 >/run/o; echo $?)" = 1
check nothing-flushed test "$(count F)" = 0

step "what was acknowledged is there"
log_start || die "dm-log-writes"
check fs-attach blk_attach g1 /dev/mapper/lw xvda
check fs-write guest_run g1 "mkfs.ext4 -q -F /dev/xvda && mount /dev/xvda /mnt && mkdir /mnt/d &&
	cp /run/src/* /mnt/d && sync"
dmsetup message lw 0 mark acknowledged
check fs-more guest_run g1 "cat /run/src/all >>/mnt/d/f0 && rm /mnt/d/tail && sync; umount /mnt"
check fs-detach blk_detach g1 xvda
check fs-log log_stop
last=$(awk '/M .*acknowledged/ { print last; exit } $2 ~ /[FU]/ { last = $1 + 1 }' "$LOG")
check fs-replay logwrites replay /dev/ram1 "${last:-0}" /dev/ram2
check fs-content blk_fs_here g1 /dev/ram2

step "in-tree front, which has barriers with data"
blk_front g1 intree || die "in-tree front"
order intree-front 1 1 4 --fsync=4 --end_fsync=1
check intree-front-ordered ordered 4
order intree-front-barrier 0 1 1 --sync=dsync
check intree-front-barrier-ordered ordered 1
# A write that is a barrier is one entry that is both.
check intree-front-barrier-fua test "$(count FU)" -ge 8

step "in-tree backend"
blk_back intree && blk_front g1 "$BLK_FRONT" || die "drivers"
order intree-back 1 1 4 --fsync=4 --end_fsync=1
check intree-back-ordered ordered 4
order intree-back-barrier 0 1 4 --fsync=4 --end_fsync=1
check intree-back-barrier-ordered ordered 4
