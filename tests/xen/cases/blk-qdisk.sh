# about: our front on QEMU's qdisk backend: data, a file, discard, detach under load
# tags: check blk
# guest-type: pvh
# modules: ours
# files: lib/blk.sh lib/vbd-script
# limit: 900
# shellcheck disable=SC1091
. /job/blk.sh

spec() { echo "format=raw,vdev=$2,access=${3:-w},backendtype=qdisk,target=$1"; } # TARGET DISK [MODE]
attach() { # TARGET DISK [MODE]
	xl block-attach g1 "$(spec "$@")" && blk_wait_disk g1 "$2" && wait_until 10 xs_is "$(blk_be_q "$2")/state" 4
}
blk_be_q() { echo "/local/domain/0/backend/qdisk/${GUEST_ID[g1]}/$(blk_vdev "$1")"; }
detach() {
	xl block-detach g1 "$1" && blk_wait_gone g1 "$1" && wait_until 15 xs_no_key "$(blk_be_q "$1")"
}

backing_ram 64 2 || die "brd"
backing_file image 48
step "guest; its disk makes xl start QEMU"
guest_create g1 "load=crc32c_generic" "disk=['$(spec /dev/ram1 xvdb)']" || die "guest"
check seed blk_seed g1
for queues in 1 2; do
	step "$queues queues asked for, data"
	check "q$queues-front" blk_front g1 "$BLK_FRONT" "max_queues=$queues" || die "front"
	if [ "$queues" = 1 ]; then
		check q1-disk blk_wait_disk g1 xvdb
		check q1-disk-detach detach xvdb
	fi
	check "q$queues-attach" attach /dev/ram0 xvda
	check "q$queues-order" xs_is "$(blk_fe g1 xvda)/ring-page-order" 4
	blk_data g1 xvda /dev/ram0 "q$queues"
	check "q$queues-buffered" blk_fio_buffered g1 xvda
	check "q$queues-detach" detach xvda
	check "q$queues-none" blk_wait_none g1
done

# No read-only disk: this QEMU refuses its own ("Block node is read-only").
step "a file"
check file-attach attach /scratch/image xvdc || die "file"
check file-flush xs_is "$(blk_be_q xvdc)/feature-flush-cache" 1
blk_data g1 xvdc /scratch/image file
check file-discard guest_run g1 "blkdiscard -o 1M -l 8M /dev/xvdc && dd if=/dev/xvdc bs=1M skip=1 count=8 iflag=direct 2>/dev/null |
	tr -d '\0' | wc -c | grep -qx 0"
check file-detach detach xvdc
step "detach under load"
check load-attach attach /dev/ram0 xvdd
blk_load g1 xvdd load 4
sleep 0.7
check load-detach detach xvdd
guest_wait g1 load 60 >/run/out
rc=$?
check load-ended test $rc != 124 -a $rc != 0
check again-attach attach /dev/ram1 xvde
check again blk_fs g1 xvde /dev/ram1
