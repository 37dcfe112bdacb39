# about: guests destroyed in the middle of I/O leave no grant, page, thread, event channel or xenstore node behind
# tags: check blk
# guest-type: pv
# smp: 2
# modules: ours
# files: lib/blk.sh lib/vbd-script
# limit: 480
# shellcheck disable=SC1091
. /job/blk.sh

ROUNDS=${ROUNDS:-4}

same_held() { [ "$(blk_held)" = "$before" ]; }

backing_ram 64 2 || die "brd"
blk_back "$BLK_BACK" || die "backend"
before=$(blk_held)
step "guest, kept as an image so that every round begins in the middle of its I/O"
GUEST_MEM=256
case $BLK_FRONT in ours) load=xsplit,blkfront ;; *) load=xen-blkfront ;; esac
guest_create g1 "load=$load" "disk=['$(blk_spec /dev/ram0 xvda)', '$(blk_spec /dev/ram1 xvdb)']" || die "guest"
for d in xvda xvdb; do
	guest_bg g1 "load-$d" "while :; do fio --name=l --filename=/dev/$d --rw=randrw --size=16m --direct=1 \
		--bssplit=4k/60:128k/30:1m/10 --ioengine=libaio --iodepth=32 --rate_iops=2000 --minimal; done"
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
	blk_pause "$round" 700
	check "busy-$round" test "$(blk_stat g1 xvda rd_req)" -gt "$rd"
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
check no-grants awk '/gnttab_usage_print/ { seen = 1 } /localdom|d[1-9][0-9]*.*v[12]/ { print; bad = 1 } END { exit !seen || bad }' "$LAB_LOG/grants.txt"
check unload blk_back_unload
check unloaded-interrupts test "$(grep -cE 'blkif|blkback' /proc/interrupts)" = 0
