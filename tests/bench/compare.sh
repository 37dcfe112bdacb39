# about: our block pair beside the in-tree pair: same boot, same work, virtual time
# tags: bench
# dom0-kernel: 6.1
# modules: ours
# files: table.sh
# guest-tools: profile
# plugin: profile
# limit: 3600
#
# null_blk behind the backend, so that what is measured is the drivers and what they make
# of the hypervisor. 1e9 / rate = instructions of guest, Xen and dom0 for one I/O. Native is the
# same work on a null_blk in the guest itself.
# Settings: TYPES, ROWS, PAIRS (back:front, each intree or ours), BACK_PARAMS.
# shellcheck disable=SC1091
. /job/table.sh

# ROWS may also name rows of the network comparison.
ROWS=$(tr ' ' '\n' <<<"${ROWS:-randread-4k-qd1 randread-4k-qd32 randread-4k-qd32-b8 randwrite-4k-qd32-b8 randread-64k-qd32 randwrite-64k-qd32 read-1m-qd8 write-1m-qd8}" |
	grep -- -qd | tr '\n' ' ')

fio_options() { # ROW: WORKLOAD-BLOCKSIZE-qdDEPTH[-b8], see baseline.md
	local rw bs depth batch size
	IFS=- read -r rw bs depth batch <<<"$1"
	case $bs in 4k) size=32m ;; 64k) size=192m ;; *) size=256m ;; esac
	[ "$depth" != qd1 ] || size=16m
	echo "--rw=$rw --bs=$bs --iodepth=${depth#qd} --io_size=$size"
	[ -z "$batch" ] || echo "--iodepth_batch_submit=8 --iodepth_batch_complete_min=8"
}

# fio's terse output: fields 6 and 8 are KiB and rate of reads, 47 and 49 those of writes.
measure() { # TYPE PAIR ROW DEVICE
	local options rate kb
	step "$1, $2: $3"
	options=$(fio_options "$3" | tr '\n' ' ')
	read -r rate kb < <(guest_run g "fio --name=bench --filename=$4 --direct=1 --ioengine=libaio \
		--exec_prerun='mark begin' --exec_postrun='mark end $1.$2.$3' \
		--gtod_reduce=1 --minimal $options" | awk -F';' 'NF > 50 { print $8 + $49, $6 + $47 }')
	RATE[$1,$2,$3]=$rate
	OPS[$1,$2,$3]=$((kb / $(sed -n 's/.*--bs=\([0-9]*\)k.*/\1/p; s/.*--bs=1m.*/1024/p' <<<"$options")))
}

label_of() { echo "$1"; }
unit_of() { echo IO/s; }
insn_of() { awk -v r="$2" 'BEGIN { printf "%d\n", r ? 1e9 / r : 0 }'; }

measure_pair() { # TYPE BACK:FRONT
	local back=${2%:*} front=${2#*:} row
	# shellcheck disable=SC2086 # words
	if [ "$back" = ours ]; then load_backend ours vbd ${BACK_PARAMS-}; else load_backend intree vbd; fi ||
		die "no $back backend"
	guest_create g "$1" "disk=['phy:$BACKING,xvda,w']" "load=$(front_modules vbd "$front")" memory=768 ||
		die "guest with $front frontend"
	count_domains "$1" "$2" g
	for row in $ROWS; do measure "$1" "$2" "$row" /dev/xvda; done
	count_end
	guest_destroy g
	wait_until 10 unload_backends vbd
}

measure_native() { # TYPE
	local row
	guest_create g "$1" load=null_blk memory=768 \
		"cmdline=null_blk.nr_devices=1 null_blk.queue_mode=2 null_blk.irqmode=0 null_blk.gb=16" ||
		die "guest with a disk of its own"
	count_domains "$1" native g
	for row in $ROWS; do measure "$1" native "$row" /dev/nullb0; done
	count_end
	guest_destroy g
}

[ -n "$ROWS" ] || {
	skip compare "no block row in ROWS"
	exit
}
modprobe null_blk nr_devices=1 queue_mode=2 irqmode=0 gb=16 || die "no null_blk"
BACKING=/dev/nullb0
# shellcheck disable=SC2086 # words
compare "I/O per virtual second" insn/IO $ROWS
