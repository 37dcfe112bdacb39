# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# What the block cases share. A case names it in "# files: lib/blk.sh" and sources /job/blk.sh.
# Guests are made without disks and load their front later, so that one guest's life serves
# many configurations.

: "${BLK_FRONT:=ours}" "${BLK_BACK:=ours}"

# --- names -------------------------------------------------------------------------------

# xvdb, sdb, hdb - its number in xenstore
blk_vdev() {
	local last=${1: -1} n
	n=$(($(printf '%d' "'$last") - 97))
	case $1 in
	sd?) echo $((8 * 256 + n * 16)) ;;
	hd[ab]) echo $((3 * 256 + n * 64)) ;;
	hd[cd]) echo $((22 * 256 + (n - 2) * 64)) ;;
	xvd[a-p]) echo $((202 * 256 + n * 16)) ;;
	xvd?) echo $(((1 << 28) + n * 256)) ;;
	xvda?) echo $(((1 << 28) + (26 + n) * 256)) ;;
	esac
}
blk_name() { # sdb - what the guest calls it
	case $1 in
	xvd*) echo "$1" ;;
	*) echo "xvd${1: -1}" ;;
	esac
}
blk_be() { echo "/local/domain/0/backend/vbd/${GUEST_ID[$1]}/$(blk_vdev "$2")"; } # NAME DISK
blk_fe() { echo "/local/domain/${GUEST_ID[$1]}/device/vbd/$(blk_vdev "$2")"; }
blk_sysfs() { echo "/sys/bus/xen-backend/devices/vbd-${GUEST_ID[$1]}-$(blk_vdev "$2")"; }
blk_connected() { xs_is "$(blk_be "$1" "$2")/state" 4 && xs_is "$(blk_fe "$1" "$2")/state" 4; } # NAME DISK
blk_has_queues() { # NAME DISK QUEUES - and with one queue, a ring of one page
	local fe n order
	fe=$(blk_fe "$1" "$2")
	n=$(xs_key "$fe/multi-queue-num-queues")
	order=$(xs_key "$fe/ring-page-order")
	echo "${n:-1} queues, order ${order:-0}"
	[ "${n:-1}" = "$3" ] && { [ "$3" != 1 ] || [ "${order:-0}" = 0 ]; }
}
blk_stat() { # NAME DISK COUNTER
	cat "$(blk_sysfs "$1" "$2")/statistics/$3"
}

# --- drivers -----------------------------------------------------------------------------

# The only backend from now on: blk_back ours|intree [PARAM=V...]
blk_back() { blk_back_unload && load_backend "$1" vbd "${@:2}"; }
blk_back_unload() { unload_backends vbd; }
# The only front of a guest from now on: blk_front NAME ours|intree [PARAM=V...]
blk_front() { guest_front "$1" vbd "${@:2}"; }
# A guest without disks and without a block front: blk_guest NAME [pv|pvh] [6.1|6.12] [ITEM...]
blk_guest() { GUEST_LOAD=crc32c_generic guest_create "$@"; }

# --- disks -------------------------------------------------------------------------------

blk_wait_disk() { # NAME DISK - until the guest has it
	guest_run "$1" "n=200; until [ -b /dev/$2 ] && [ \$(cat /sys/block/$2/size) -gt 0 ]; do
		n=\$((n - 1)); [ \$n -gt 0 ] || exit 1; usleep 50000; done"
}
blk_wait_gone() { # NAME DISK
	guest_run "$1" "n=200; while [ -e /sys/block/$2 ]; do
		n=\$((n - 1)); [ \$n -gt 0 ] || exit 1; usleep 50000; done"
}

# A disk specification with a quick hotplug script: blk_spec DEVICE DISK [w|r] [MORE...]
blk_spec() {
	local dev=$1 disk=$2 mode=${3:-w} more
	shift 2
	[ $# = 0 ] || shift
	more=$(printf '%s,' "$@")
	echo "format=raw,vdev=$disk,access=$mode,script=/job/vbd-script,${more#,}target=$dev"
}

blk_attach() { # NAME DEVICE DISK [w|r] [MORE...] - until the guest has it
	xl block-attach "$1" "$(blk_spec "${@:2}")" && blk_wait_disk "$1" "$(blk_name "$3")" &&
		wait_until 10 xs_is "$(blk_be "$1" "$3")/state" 4
}

blk_detach() { # NAME DISK - until no trace is left
	local be
	be=$(blk_be "$1" "$2")
	xl block-detach "$1" "$2" && blk_wait_gone "$1" "$(blk_name "$2")" &&
		wait_until 15 xs_no_key "$be" && wait_until 10 blk_no_thread "${GUEST_ID[$1]}.$2"
}
blk_no_thread() { # PREFIX - kernel threads of backends are named DOMAIN.DISK-QUEUE
	! cat /proc/[0-9]*/comm 2>/dev/null | grep -q "^${1//./\\.}"
}

# Nodes by hand: blk_by_hand NAME DISK [KEY=VALUE...] - of the frontend; no physical-device yet
blk_by_hand() {
	device_by_hand "$(blk_be "$1" "$2")" "$(blk_fe "$1" "$2")" "${GUEST_ID[$1]}" removable=0 "dev=$2" type=phy \
		mode=w device-type=disk -- "virtual-device=$(blk_vdev "$2")" device-type=disk "${@:3}"
}
blk_by_hand_rm() { device_by_hand_rm "$(blk_be "$1" "$2")" "$(blk_fe "$1" "$2")"; } # NAME DISK

# A disk whose backend's keys dom0 changes between the backend's connect and the frontend
# reading them: blk_attach_edited NAME DEVICE DISK KEY=VALUE...
blk_attach_edited() {
	local be kv
	be=$(blk_be "$1" "$3")
	blk_by_hand "$1" "$3" && wait_until 10 xs_is "$(blk_fe "$1" "$3")/state" 3 &&
		xl pause "$1" && xenstore-write "$be/physical-device" "$(blk_major_minor "$2")" &&
		wait_until 10 xs_is "$be/state" 4 || return
	for kv in "${@:4}"; do
		xenstore-exists "$be/${kv%%=*}" || { echo "the backend has no ${kv%%=*}"; return 1; }
		xenstore-write "$be/${kv%%=*}" "${kv#*=}" || return
	done
	xl unpause "$1" && blk_wait_disk "$1" "$3"
}
blk_peek() { dd if="$1" bs=4k count=1 iflag=direct 2>/dev/null | tr -d '\0'; } # DEVICE
# The guest's xenbus has seen that its last disk is gone.
blk_wait_none() { # NAME
	guest_run "$1" "n=100; while ls -d /sys/bus/xen/devices/vbd-* >/dev/null 2>&1; do
		n=\$((n - 1)); [ \$n -gt 0 ] || exit 1; usleep 50000; done"
}
blk_major_minor() { stat -Lc '%t:%T' "$1"; } # as physical-device has it

# --- data --------------------------------------------------------------------------------

# Seeded files in the guest's memory, and their checksums there and in dom0.
blk_seed() { # NAME
	guest_run "$1" "mkdir -p /run/src && cd /run/src && fio --name=s --filename=/run/src/all \
		--size=2m --bs=64k --rw=write --ioengine=psync --randseed=$((LAB_SEED * 7919 + 1)) \
		--refill_buffers --minimal >/dev/null &&
		for s in 0 1 511 4096 4097 70000 300001; do head -c \$s all >f\$s || exit; done
		tail -c 700001 all >tail; md5sum * >/run/src.md5; cat /run/src.md5" >"/run/src.$1.md5"
	# Ours must not be empty, or every comparison would succeed.
	[ "$(wc -l <"/run/src.$1.md5")" = 9 ]
}

# A file system with these files: written, synced, unmounted, mounted, compared; then the same
# in dom0 on the backing device. blk_fs NAME DISK BACKING
blk_fs() {
	guest_run "$1" "mkfs.ext4 -q -F /dev/$2 && mount /dev/$2 /mnt && mkdir /mnt/d &&
		cp /run/src/* /mnt/d && sync && umount /mnt && blockdev --flushbufs /dev/$2 &&
		mount /dev/$2 /mnt && cd /mnt/d && md5sum -c /run/src.md5 >/run/md5.out ||
		{ grep -v OK /run/md5.out; exit 1; }
		cd / && umount /mnt" || return
	[ -z "$3" ] || blk_fs_here "$1" "$3"
}

blk_fs_here() { # NAME BACKING - a device or a file
	local rc opt=ro
	if [ -f "$2" ]; then opt=ro,loop; else blockdev --flushbufs "$2" || return; fi
	mount -o "$opt" "$2" /mnt || return
	(cd /mnt/d && md5sum -c "/run/src.$1.md5" >/run/md5.out) || grep -v OK /run/md5.out
	(cd /mnt/d && md5sum --quiet -c "/run/src.$1.md5")
	rc=$?
	umount /mnt
	return $rc
}

# Sizes from one sector to 1 MiB, beyond 11 and beyond 32 segments; buffers that start in the
# middle of a page and so need one segment more than their size says.
BLK_MIX=--bssplit=512/10:1536/10:4k/25:11k/10:44k/15:48k/10:128k/10:132k/5:1m/5
blk_fio_job() { # FILE - direct, the first 12 MiB
	echo "fio --name=d --filename=$1 --rw=randwrite $BLK_MIX --size=12m --direct=1" \
		"--ioengine=libaio --iodepth=16 --iomem_align=512 --verify=crc32c --verify_fatal=1" \
		"--verify_dump=0 --randseed=$LAB_SEED --allrandrepeat=1 --minimal"
}
blk_fio_job_4k() { # FILE - the same for devices with blocks of 4096
	blk_fio_job "$1" | sed 's/--bssplit=[^ ]*/--bssplit=4k\/50:44k\/20:128k\/20:1m\/10/; s/align=512/align=4096/'
}
blk_fio() { # NAME DISK BACKING [JOB] - written and verified by the guest, verified by dom0
	local job=${4:-blk_fio_job}
	# shellcheck disable=SC2046 # words are wanted
	guest_run "$1" "$($job "/dev/$2") >/run/fio.out 2>&1 || { grep -v '^3;' /run/fio.out; exit 1; }" &&
		{ [ -z "$3" ] || blk_quiet $($job "$3") --verify_only; }
}
blk_fio_buffered() { # NAME DISK - through the page cache; bytes 16 to 20 MiB
	guest_run "$1" "fio --name=b --filename=/dev/$2 --offset=16m --size=4m --rw=randwrite \
		--bsrange=512-64k --ioengine=psync --fsync=16 --verify=crc32c --verify_fatal=1 \
		--end_fsync=1 --invalidate=1 --minimal >/run/fio.out 2>&1 ||
		{ grep -v '^3;' /run/fio.out; exit 1; }"
}
blk_quiet() { # COMMAND... - its output only when it fails
	"$@" >/run/quiet.out 2>&1 || {
		local rc=$?
		grep -v '^3;' /run/quiet.out
		return $rc
	}
}

# The short suite for one combination: blk_data NAME DISK BACKING TAG
blk_data() {
	check "$4-fs" blk_fs "$1" "$2" "$3"
	check "$4-fio" blk_fio "$1" "$2" "$3"
}

# --- load --------------------------------------------------------------------------------

# A verifying load in the background that lasts about SECONDS of virtual time when nothing
# disturbs it: blk_load NAME DISK TAG [SECONDS]
blk_load_job() { # FILE SECONDS
	echo "fio --name=l --filename=$1 --rw=randwrite --bssplit=512/10:4k/50:44k/20:128k/20 --size=12m" \
		"--direct=1 --ioengine=libaio --iodepth=16 --rate=$((12288 / $2))k --verify=crc32c" \
		"--verify_fatal=1 --verify_backlog=64 --verify_dump=0 --randseed=$LAB_SEED --allrandrepeat=1 --minimal"
}
blk_load() {
	guest_bg "$1" "$3" "$(blk_load_job "/dev/$2" "${4:-3}")"
}
blk_load_end() { # NAME TAG [SECONDS] - and was everything right?
	guest_wait "$1" "$2" "${3:-60}" >/run/load.out || {
		local rc=$?
		grep -v '^3;' /run/load.out
		return $rc
	}
}
blk_load_here() { # BACKING - all of it, seen from dom0
	# shellcheck disable=SC2046 # words are wanted
	blk_quiet $(blk_load_job "$1" 1 | sed 's/--rate=[^ ]*//') --verify_only
}

# --- leftovers ---------------------------------------------------------------------------

# What backends hold in dom0 and Xen, as lines that can be compared.
blk_held() {
	echo "interrupts $(grep -cE 'blkif|blkback' /proc/interrupts)"
	echo "threads $(cat /proc/[0-9]*/comm 2>/dev/null | grep -cE '^[0-9]+\.[xsh][vd]')"
	echo "nodes $(xenstore-ls /local/domain/0/backend 2>/dev/null | wc -l)"
	echo "domains $(xl list | wc -l)"
}
