# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# What a disk can be beside a plain one. Each leaves the guest without disks.

# Requests as large as the guest's 1 MiB I/O: at least so many sectors per request on the ring.
blk_large() { # NAME DISK SECTORS - with a backend that counts
	local r0 s0 r1 s1
	r0=$(blk_stat "$1" "$2" wr_req) s0=$(blk_stat "$1" "$2" wr_sect)
	guest_run "$1" "dd if=/run/src/all of=/dev/$2 bs=1M count=2 oflag=direct 2>&1" || return
	r1=$(blk_stat "$1" "$2" wr_req) s1=$(blk_stat "$1" "$2" wr_sect)
	echo "$((s1 - s0)) sectors in $((r1 - r0)) requests"
	[ $((s1 - s0)) = 4096 ] && [ $(((s1 - s0) / (r1 - r0))) -ge "$3" ]
}

# Written by dom0, read by the guest.
blk_read_back() { # NAME DISK BACKING
	# shellcheck disable=SC2046 # words are wanted
	blk_quiet $(blk_fio_job "$3") --do_verify=0 &&
		guest_run "$1" "$(blk_fio_job "/dev/$2") --verify_only >/run/fio.out 2>&1 ||
			{ grep -v '^3;' /run/fio.out; exit 1; }"
}

blk_plain() { # NAME - and the sizes, alignments and directions of the data
	step "plain disk"
	check plain-attach blk_attach "$1" /dev/ram0 xvda || return
	check plain-fs blk_fs "$1" xvda /dev/ram0
	check plain-fio blk_fio "$1" xvda /dev/ram0
	# One wrong page must not go unnoticed.
	dd if=/dev/urandom of=/dev/ram0 bs=4k seek=1000 count=1 oflag=direct conv=notrunc 2>/dev/null
	# shellcheck disable=SC2046 # words are wanted
	check plain-witness test "$($(blk_fio_job /dev/ram0) --verify_only >/dev/null 2>&1; echo $?)" != 0
	check plain-read-back blk_read_back "$1" xvda /dev/ram0
	check plain-buffered blk_fio_buffered "$1" xvda
	check plain-256-segments blk_large "$1" xvda 2048
	check plain-detach blk_detach "$1" xvda
}

# Data given up by the guest is given up by the file under the loop device, and only that.
blk_discard() { # NAME
	step "discard"
	backing_loop discard 32 || return
	check discard-attach blk_attach "$1" "$BACKING" xvda || return
	check discard-write guest_run "$1" "for i in 0 1 2 3; do
		dd if=/run/src/all of=/dev/xvda bs=1M seek=\$((i * 2)) count=2 conv=fsync 2>&1 || exit; done"
	check discard-written test "$(stat -c %b /scratch/discard)" -ge 16384
	check discard guest_run "$1" "blkdiscard -o 2M -l 2M /dev/xvda"
	# More than the device takes at once.
	echo 524288 >"/sys/block/${BACKING#/dev/}/queue/discard_max_bytes"
	check discard-in-parts guest_run "$1" "blkdiscard -o 4M -l 2M /dev/xvda"
	check discard-given-up test "$(stat -c %b /scratch/discard)" -le $((8192 + 64))
	check discard-counted test "$(blk_stat "$1" xvda ds_req)" -ge 1
	check discard-zeros guest_run "$1" "blockdev --flushbufs /dev/xvda
		[ \$(dd if=/dev/xvda bs=1M skip=2 count=4 2>/dev/null | tr -d '\0' | wc -c) = 0 ]"
	check discard-rest guest_run "$1" "for i in 0 6; do
		dd if=/dev/xvda bs=1M skip=\$i count=2 2>/dev/null | cmp - /run/src/all || exit; done"
	check discard-detach blk_detach "$1" xvda
	step "discard switched off"
	check discard-off-attach blk_attach "$1" "$BACKING" xvda w no-discard || return
	check discard-off guest_run "$1" "! blkdiscard -l 1M /dev/xvda 2>&1 &&
		dd if=/dev/xvda bs=1M count=2 2>/dev/null | cmp - /run/src/all"
	check discard-off-detach blk_detach "$1" xvda
	losetup -d "$BACKING"
	rm /scratch/discard
}

blk_readonly() { # NAME
	local before=/run/ro.before after=/run/ro.after
	step "read-only"
	dd if=/dev/urandom of=/dev/ram0 bs=64k count=4 oflag=direct 2>/dev/null
	md5sum </dev/ram0 >"$before"
	check ro-attach blk_attach "$1" /dev/ram0 xvda r || return
	check ro-seen guest_run "$1" "[ \$(cat /sys/block/xvda/ro) = 1 ] && [ \$(blockdev --getro /dev/xvda) = 1 ]"
	check ro-mode test "$(cat "$(blk_sysfs "$1" xvda)/mode")" = r
	check ro-same test "$(guest_run "$1" 'md5sum </dev/xvda')" = "$(cat "$before")"
	guest_run "$1" "dmesg -c >/dev/null"
	check ro-write-fails guest_run "$1" "! dd if=/run/src/all of=/dev/xvda bs=4k count=1 oflag=direct 2>/run/o &&
		cat /run/o && grep -qiE 'read-only|not permitted|denied' /run/o"
	# Also by force: the front's own word is not what protects the disk.
	check ro-force guest_run "$1" "blockdev --setrw /dev/xvda; [ \$(cat /sys/block/xvda/ro) = 0 ] || exit 0
		! dd if=/run/src/all of=/dev/xvda bs=4k count=1 oflag=direct 2>&1"
	blockdev --flushbufs /dev/ram0
	md5sum </dev/ram0 >"$after"
	check ro-unchanged busybox cmp "$before" "$after"
	check ro-detach blk_detach "$1" xvda
}

# Two primary partitions: 2048+2048 and 4096+rest.
blk_mbr() { # DEVICE
	dd if=/dev/zero of="$1" bs=512 count=1 conv=notrunc 2>/dev/null
	{
		printf '\0\0\0\0\203\0\0\0\0\010\0\0\0\010\0\0'
		printf '\0\0\0\0\203\0\0\0\0\020\0\0\0\100\0\0'
	} | dd of="$1" bs=1 seek=446 conv=notrunc 2>/dev/null
	printf '\125\252' | dd of="$1" bs=1 seek=510 conv=notrunc,fsync 2>/dev/null
}
blk_partitions() { # NAME
	step "partitions"
	blk_mbr /dev/ram0
	check part-attach blk_attach "$1" /dev/ram0 xvda || return
	check part-seen guest_run "$1" "cat /proc/partitions; grep -q '  1024 xvda1$' /proc/partitions &&
		grep -q '  8192 xvda2$' /proc/partitions"
	check part-place guest_run "$1" "dd if=/run/src/all of=/dev/xvda2 bs=4k count=16 conv=fsync 2>/dev/null &&
		dd if=/dev/xvda bs=512 skip=4096 count=128 iflag=direct 2>/dev/null >/run/p &&
		head -c 65536 /run/src/all | cmp - /run/p"
	check part-gone guest_run "$1" "dd if=/dev/zero of=/dev/xvda bs=512 count=1 conv=fsync 2>/dev/null &&
		blockdev --rereadpt /dev/xvda && ! grep xvda1 /proc/partitions"
	check part-detach blk_detach "$1" xvda
}

blk_names() { # NAME - virtual devices of other disks' numbers
	local dev
	step "names"
	for dev in sdb hdd xvdp xvdq xvdab; do
		check "name-$dev" blk_attach "$1" /dev/ram0 "$dev" || continue
		check "name-$dev-works" guest_run "$1" "dd if=/dev/$(blk_name "$dev") of=/dev/null bs=64k count=4 2>&1"
		check "name-$dev-detach" blk_detach "$1" "$dev"
	done
	step "three disks at once"
	check names-3 blk_attach "$1" /dev/ram0 xvda && check names-3b blk_attach "$1" /dev/ram1 xvdb &&
		check names-3c blk_attach "$1" /dev/ram2 xvdc || return
	check names-distinct guest_run "$1" "for d in a b c; do echo this is \$d | dd of=/dev/xvd\$d bs=512 conv=sync,fsync 2>/dev/null; done"
	check names-right test "$(head -c 9 /dev/ram0; head -c 9 /dev/ram1; head -c 9 /dev/ram2)" = \
		"this is athis is bthis is c"
	check names-detach-b blk_detach "$1" xvdb
	check names-others-live guest_run "$1" "dd if=/dev/xvda of=/dev/null bs=4k count=1 iflag=direct 2>&1 &&
		dd if=/dev/xvdc of=/dev/null bs=4k count=1 iflag=direct 2>&1"
	check names-detach-a blk_detach "$1" xvda
	check names-detach-c blk_detach "$1" xvdc
}

blk_cdrom() { # NAME - PV only: other guests leave CD-ROMs to emulated drives
	[ "$LAB_GUEST_TYPE" = pv ] || return 0
	step "CD-ROM"
	check cd-attach blk_attach "$1" /dev/ram0 xvdc r devtype=cdrom || return
	check cd-info test $(($(xs_key "$(blk_be "$1" xvdc)/info") & 5)) = 5
	check cd-ro guest_run "$1" "[ \$(cat /sys/block/xvdc/ro) = 1 ] && dd if=/dev/xvdc of=/dev/null bs=2k count=16 2>&1"
	check cd-detach blk_detach "$1" xvdc
}

blk_4k() { # NAME
	local dev
	step "blocks of 4096"
	backing_file 4k 48 || return
	dev=$(losetup -f --show -b 4096 /scratch/4k) || return
	check 4k-attach blk_attach "$1" "$dev" xvda || return
	check 4k-seen guest_run "$1" "cd /sys/block/xvda/queue; cat logical_block_size physical_block_size
		[ \$(cat logical_block_size) = 4096 ] && [ \$(cat physical_block_size) -ge 4096 ] &&
		[ \$(cat ../size) = 98304 ]"
	check 4k-fs blk_fs "$1" xvda "$dev"
	check 4k-fio blk_fio "$1" xvda "$dev" blk_fio_job_4k
	check 4k-refused guest_run "$1" "! fio --name=s --filename=/dev/xvda --rw=read --bs=512 --size=4k \
		--direct=1 --minimal >/dev/null 2>&1"
	check 4k-detach blk_detach "$1" xvda
	losetup -d "$dev"
	rm /scratch/4k
	step "physical blocks of 4096"
	modprobe scsi_debug dev_size_mb=16 sector_size=512 physblk_exp=3 lbpu=1 >/dev/null &&
		wait_until 5 blk_scsi_debug || { skip 4k-physical "no scsi_debug"; return; }
	dev=$(blk_scsi_debug)
	check phys-attach blk_attach "$1" "$dev" xvda || return
	check phys-seen guest_run "$1" "cd /sys/block/xvda/queue; cat logical_block_size physical_block_size
		[ \$(cat logical_block_size) = 512 ] && [ \$(cat physical_block_size) = 4096 ]"
	check phys-fio blk_fio "$1" xvda "$dev"
	check phys-detach blk_detach "$1" xvda
	rmmod scsi_debug
}
blk_scsi_debug() {
	local d
	for d in /sys/bus/pseudo/drivers/scsi_debug/adapter*/host*/target*/*/block/*; do
		[ -b "/dev/${d##*/}" ] && echo "/dev/${d##*/}" && return
	done
	return 1
}

blk_size() { # NAME DISK - in sectors, as the guest sees it
	guest_run "$1" "cat /sys/block/$2/size"
}
blk_size_is() { [ "$(blk_size "$1" "$2")" = "$3" ]; }
blk_resize() { # NAME
	local dm=/dev/mapper/resize
	step "resize: a loop device that grows"
	backing_loop resize 16 || return
	check resize-attach blk_attach "$1" "$BACKING" xvda || return
	check resize-before blk_size_is "$1" xvda 32768
	guest_run "$1" "fio --name=r --filename=/dev/xvda --rw=randread --bs=4k --size=8m --direct=1 --time_based \
		--runtime=60 --ioengine=libaio --iodepth=4 --rate_iops=100 >/run/r.out 2>&1 & echo \$! >/run/r.pid"
	truncate -s 24M /scratch/resize && losetup -c "$BACKING"
	check resize-grown wait_until 10 blk_size_is "$1" xvda 49152
	check resize-alive guest_run "$1" "kill -0 \$(cat /run/r.pid) && kill -INT \$(cat /run/r.pid)"
	check resize-used guest_run "$1" "dd if=/run/src/all of=/dev/xvda bs=1M seek=20 count=2 oflag=direct 2>&1"
	check resize-there test "$(dd if=/scratch/resize bs=1M skip=20 count=2 2>/dev/null | md5sum)" = \
		"$(guest_run "$1" "md5sum </run/src/all")"
	check resize-detach blk_detach "$1" xvda
	losetup -d "$BACKING"
	rm /scratch/resize
	step "resize: device mapper, up and down"
	modprobe dm-mod
	dmsetup create resize --table "0 32768 linear /dev/ram0 0" || return
	check resize-dm-attach blk_attach "$1" "$dm" xvda || return
	dmsetup reload resize --table "0 65536 linear /dev/ram0 0" && dmsetup resume resize
	check resize-dm-grown wait_until 10 blk_size_is "$1" xvda 65536
	check resize-dm-fs blk_fs "$1" xvda "$dm"
	dmsetup reload resize --table "0 16384 linear /dev/ram0 0" && dmsetup resume resize
	check resize-dm-shrunk wait_until 10 blk_size_is "$1" xvda 16384
	check resize-dm-end guest_run "$1" "! dd if=/dev/zero of=/dev/xvda bs=4k seek=2048 count=1 oflag=direct 2>&1"
	check resize-dm-detach blk_detach "$1" xvda
	dmsetup remove resize
}

# The guest does not trust the backend: pages are not shared with what else is in them.
blk_untrusted() { # NAME
	step "an untrusted backend"
	# This version of xl has no word for it.
	blk_by_hand "$1" xvda trusted=0 &&
		xenstore-write "$(blk_be "$1" xvda)/physical-device" "$(blk_major_minor /dev/ram0)"
	check untrusted-attach blk_wait_disk "$1" xvda || return
	blk_data "$1" xvda /dev/ram0 untrusted
	blk_by_hand_rm "$1" xvda
	check untrusted-gone blk_wait_gone "$1" xvda
}

# The guest's last memory depends on our disk: nothing on its way may wait for memory.
# shellcheck disable=SC2016 # commands for the guest
blk_swap() { # NAME
	step "swap, with no memory left"
	check swap-attach blk_attach "$1" /dev/ram0 xvda || return
	check swap-on guest_run "$1" 'mkswap /dev/xvda >/dev/null && swapon /dev/xvda'
	# What is in ramfs cannot be swapped.
	guest_run "$1" 'mkdir -p /run/fill /run/tmp && mount -t ramfs fill /run/fill &&
		mount -t tmpfs -o size=64m tmp /run/tmp &&
		mb=$(awk "/MemAvailable/ { print int(\$2 / 1024) - 24 }" /proc/meminfo) &&
		dd if=/dev/zero of=/run/fill/zero bs=1M count=$mb 2>/dev/null'
	# How much is left is an estimate: take more until what was copied has to go.
	check swap-out guest_run "$1" 'for n in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
			cp /run/src/all /run/tmp/$n || exit
		done
		used() { awk "NR > 1 { print int(\$4 / 1024) }" /proc/swaps; }
		n=0
		until [ "$(used)" -ge 12 ]; do
			n=$((n + 1))
			[ $n -le 40 ] || { echo "$(used) MiB in swap"; exit 1; }
			dd if=/dev/zero of=/run/fill/$n bs=1M count=2 2>/dev/null || exit
		done'
	check swap-in guest_run "$1" 'for n in 1 5 10 15 20; do cmp /run/src/all /run/tmp/$n || exit; done'
	check swap-off guest_run "$1" 'rm -r /run/fill/* /run/tmp/* && swapoff /dev/xvda &&
		umount /run/fill && umount /run/tmp'
	check swap-detach blk_detach "$1" xvda
}

# The whole of it, or what PARTS names, with a guest of its own.
blk_features() {
	local part
	step "guest"
	backing_ram 64 3 || die "brd"
	blk_guest g1 || die "guest"
	check seed blk_seed g1
	blk_back "$BLK_BACK" || die "backend"
	check front blk_front g1 "$BLK_FRONT" || die "front"
	for part in ${PARTS:-blk_plain blk_discard blk_readonly blk_partitions blk_names blk_cdrom \
		blk_4k blk_resize blk_untrusted blk_swap}; do
		"$part" g1 || fail "$part" "was not carried out"
	done
	check unload blk_back_unload
}
