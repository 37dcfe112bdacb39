# about: what the drivers do, in two minutes: our front and back, files and checksums, hot plug, resize
# tags: demo
# modules: ours
# files: lib/blk.sh lib/vbd-script
# limit: 300
# shellcheck disable=SC1091
. /job/blk.sh

load_backend ours vbd || die "blkback"
backing_ram 64 2 || die "brd"
backing_file demo.img 32
step "xl create: a $LAB_GUEST_TYPE guest with Linux $LAB_GUEST on a dom0 with Linux $LAB_DOM0, our modules in both"
GUEST_MEM=256 guest_create demo load=xsplit,blkfront \
	'disk=["phy:/dev/ram0,xvda,w", "file:/scratch/demo.img,xvdb,w"]' || die "xl create"
note "xl create: disk = $(grep -o '\[.*\]' /run/lab/demo.cfg)"
check guest-disks guest_run demo "grep xvd /proc/partitions"
check guest-driver guest_run demo "readlink /sys/block/xvda/device/driver | grep blkfront"
check dom0-driver test "$(basename "$(readlink "$(blk_sysfs demo xvda)/driver")")" = "$BACKEND_DRIVER"
agreed=$(guest_run demo "dmesg | sed -n 's/.*\(xvda: .*ring.*\)/\1/p'")

step "guest: mkfs.ext4, seeded files, sync, unmount, remount, checksums"
check files-made blk_seed demo
check files-in-guest blk_fs demo xvda
step "dom0: the same checksums read from /dev/ram0"
check files-in-dom0 blk_fs_here demo /dev/ram0
sum=$(awk '$2 == "all" { print $1 }' /run/src.demo.md5)

step "guest: fio, random writes and reads with crc32c, 512 bytes to 1 MiB, second disk"
check fio-in-guest blk_fio demo xvdb
check fio-mixed guest_run demo "fio --name=rw --filename=/dev/xvdb --rw=randrw --bs=4k --size=4m --offset=16m --direct=1 \
	--ioengine=libaio --iodepth=16 --verify=crc32c --verify_fatal=1 --minimal >/dev/null"
step "dom0: the same data verified in the file"
# shellcheck disable=SC2046 # words are wanted
check fio-in-dom0 blk_quiet $(blk_fio_job /scratch/demo.img) --verify_only

step "a third disk comes, works and goes while I/O runs on the second"
blk_load demo xvdb load 2
check hot-attach xl block-attach demo phy:/dev/ram1,xvdc,w
check hot-disk blk_wait_disk demo xvdc
check hot-used guest_run demo "dd if=/run/src/all of=/dev/xvdc bs=64k conv=fsync 2>/dev/null"
check hot-same test "$(head -c 2M /dev/ram1 | md5sum | cut -c1-32)" = "$sum"
check hot-still-busy guest_running demo load
check hot-detach blk_detach demo xvdc
check io-undisturbed blk_load_end demo load

step "the file grows, and the guest's disk with it"
truncate -s 48M /scratch/demo.img
losetup -c "$(blk_key "$(blk_be demo xvdb)/physical-device-path")"
blk_grown() { [ "$(guest_run demo "cat /sys/block/xvdb/size")" = 98304 ]; }
check resize-seen wait_until 10 blk_grown
check resize-used guest_run demo "dd if=/run/src/all of=/dev/xvdb bs=1M seek=40 count=2 conv=fsync 2>/dev/null"

counters=$(blk_stat demo xvdb rd_req)/$(blk_stat demo xvdb wr_req)
step "power off, unload"
check poweroff guest_poweroff demo
check nothing-left wait_until 10 blk_no_key /local/domain/0/backend/vbd
check unload rmmod blkback

note "------------------------------------------------------------------------------"
note "guest   Linux $LAB_GUEST, $LAB_GUEST_TYPE, blkfront.ko; dom0 Linux $LAB_DOM0, blkback.ko; Xen 4.17, xl"
note "agreed  $agreed"
note "files   8 seeded files on ext4, checksums equal in guest and on dom0's /dev/ram0"
note "fio     512 B .. 1 MiB random, crc32c right in guest and in dom0's file"
note "plug    third disk attached, written, checked in dom0 and detached during verified I/O"
note "resize  32 -> 48 MiB seen and used without a reconnect"
note "xvdb    $counters requests read/written, counted by the backend"
note "------------------------------------------------------------------------------"
