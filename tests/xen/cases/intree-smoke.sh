# about: the in-tree pair: file system, fio verify, hotplug, save and restore (a check of the lab)
# tags: lab check
# limit: 400

# shellcheck disable=SC2016 # commands for the guest
load_backend intree || die "xen-blkback"
backing_ram 96 2
step "guest with a disk"
guest_create g1 'disk=["phy:/dev/ram0,xvda,w"]' || die "guest_create"
check disk guest_run g1 'grep xvda /proc/partitions'
step "mkfs, files, checksum"
check mkfs guest_run g1 'mkfs.ext4 -q /dev/xvda && mount /dev/xvda /mnt &&
	dd if=/dev/urandom of=/mnt/a bs=64k count=64 2>/dev/null && cp /mnt/a /mnt/b &&
	sync && echo 3 >/proc/sys/vm/drop_caches && cmp /mnt/a /mnt/b'
sum=$(guest_run g1 'md5sum </mnt/b')
check fsck guest_run g1 'umount /mnt && e2fsck -fn /dev/xvda'
check 'seen-in-dom0' e2fsck -fn /dev/ram0
step "attach a second disk, verify it"
check attach guest_attach g1 'phy:/dev/ram1,xvdb,w'
check fio-verify guest_run g1 'wait=50
	until [ -b /dev/xvdb ]; do wait=$((wait - 1)); [ $wait -gt 0 ] || exit 9; usleep 100000; done
	fio --name=v --filename=/dev/xvdb --rw=randwrite --bsrange=512-128k --bs_unaligned=0 --size=24m \
		--ioengine=libaio --iodepth=16 --direct=1 --verify=crc32c --minimal >/dev/null'
check detach guest_detach g1 xvdb
check gone guest_run g1 'n=50; while [ -b /dev/xvdb ]; do n=$((n - 1)); [ $n -gt 0 ] || exit 1
	usleep 100000; done'
step "save and restore"
guest_run g1 'mount /dev/xvda /mnt'
check save guest_save g1 /scratch/g1.save
check restore guest_restore g1 /scratch/g1.save
check same-data test "$(guest_run g1 'md5sum </mnt/b')" = "$sum"
step "power off"
check poweroff guest_poweroff g1
