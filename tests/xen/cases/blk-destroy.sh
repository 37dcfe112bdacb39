# about: guests destroyed in the middle of I/O leave no grant, page, thread, event channel or xenstore node behind
# tags: check blk
# guest-type: pv
# smp: 2
# modules: ours
# files: lib/blk.sh lib/destroy.sh lib/vbd-script
# limit: 900
# shellcheck disable=SC1091
. /job/blk.sh
. /job/destroy.sh

more_reads() { [ "$(blk_stat g1 xvda rd_req)" -gt "$reads" ]; }
work() { # ROUND
	reads=$(blk_stat g1 xvda rd_req)
	check "busy-$1" wait_until 10 more_reads
}
work_end() { :; }

backing_ram 64 2 || die "brd"
# brd takes its pages when they are written first: not to be counted as lost.
for d in 0 1; do dd if=/dev/zero of=/dev/ram$d bs=1M count=16 oflag=direct 2>/dev/null; done
blk_back "$BLK_BACK" || die "backend"
before=$(blk_held)
step "guest, kept as an image so that every round begins in the middle of its I/O"
GUEST_MEM=256 guest_create g1 "load=$(front_modules vbd "$BLK_FRONT")" \
	"disk=['$(blk_spec /dev/ram0 xvda)', '$(blk_spec /dev/ram1 xvdb)']" || die "guest"
for d in xvda xvdb; do
	guest_bg g1 "load-$d" "while :; do fio --name=l --filename=/dev/$d --rw=randrw --size=16m --direct=1 \
		--bssplit=4k/60:128k/30:1m/10 --ioengine=libaio --iodepth=32 --rate_iops=500 --minimal; done"
done
sleep 0.5
destroy_rounds blk_held "$before"
# The disks are whole, and nobody holds them.
check disk-free mkfs.ext4 -q -F /dev/ram0
check unload blk_back_unload
check unloaded-interrupts grep -qx 'interrupts 0' <<<"$(blk_held)"
