# about: guests destroyed in the middle of I/O leave no grant, page, thread, event channel or xenstore node behind
# tags: check blk
# guest-type: pv
# smp: 2
# modules: ours
# files: lib/blk.sh lib/vbd-script
# limit: 900
# shellcheck disable=SC1091
. /job/blk.sh

ROUNDS=${ROUNDS:-3}

more_reads() { [ "$(blk_stat g1 xvda rd_req)" -gt "$rd" ]; }
same_held() { [ "$(blk_held)" = "$before" ]; }

backing_ram 64 2 || die "brd"
# brd takes its pages when they are written first: not to be counted as lost.
for d in 0 1; do dd if=/dev/zero of=/dev/ram$d bs=1M count=16 oflag=direct 2>/dev/null; done
blk_back "$BLK_BACK" || die "backend"
before=$(blk_held)
step "guest, kept as an image so that every round begins in the middle of its I/O"
case $BLK_FRONT in ours) load=xsplit,blkfront ;; *) load=xen-blkfront ;; esac
GUEST_MEM=256 guest_create g1 "load=$load" "disk=['$(blk_spec /dev/ram0 xvda)', '$(blk_spec /dev/ram1 xvdb)']" || die "guest"
for d in xvda xvdb; do
	guest_bg g1 "load-$d" "while :; do fio --name=l --filename=/dev/$d --rw=randrw --size=16m --direct=1 \
		--bssplit=4k/60:128k/30:1m/10 --ioengine=libaio --iodepth=32 --rate_iops=500 --minimal; done"
done
sleep 0.5
check image guest_save g1 /scratch/g1.save || die "no image"
check image-left wait_until 15 same_held

read -r dom0_free xen_free < <(blk_free_mb)
step "$dom0_free MB free in dom0, $xen_free in Xen"
for round in $(seq "$ROUNDS"); do
	step "round $round"
	check "restore-$round" guest_restore g1 /scratch/g1.save || break
	rd=$(blk_stat g1 xvda rd_req)
	check "busy-$round" wait_until 10 more_reads
	blk_pause "$round" 300
	unset "GUEST_TTY[g1]"
	check "destroy-$round" xl destroy g1
	unset "GUEST_ID[g1]"
	check "left-$round" wait_until 20 same_held || {
		busybox diff <(echo "$before") <(blk_held)
		xl list
	}
done
read -r dom0_now xen_now < <(blk_free_mb)
note "free MB in dom0: $dom0_free, then $dom0_now; in Xen: $xen_free, then $xen_now"
check memory-of-xen test "$xen_now" -ge $((xen_free - 2))
check memory-of-dom0 test "$dom0_now" -ge $((dom0_free - 6))
# The disks are whole, and nobody holds them.
check disk-free mkfs.ext4 -q -F /dev/ram0
xl dmesg -c >/dev/null
xl debug-keys g
xl dmesg >"$LAB_LOG/grants.txt"
check no-grants awk '/gnttab_usage_print/ { seen = 1 } /remote d[1-9]/ { print; bad = 1 } END { exit !seen || bad }' "$LAB_LOG/grants.txt"
check unload blk_back_unload
check unloaded-interrupts test "$(grep -cE 'blkif|blkback' /proc/interrupts)" = 0
