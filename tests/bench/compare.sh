# about: our block pair beside the in-tree pair: same boot, same work, virtual time
# tags: bench
# dom0-kernel: 6.1
# modules: ours
# files: table.sh
# guest-tools: profile
# plugin: profile
# limit: 9000
#
# null_blk behind the backend, so that what is measured is the drivers and what they make
# of the hypervisor. 1e9 / rate = instructions of guest, Xen and dom0 for one I/O. Native is the
# same work on a null_blk in the guest itself.
# Settings: TYPES, ROWS, PAIRS (back:front, each intree or ours), LEAST, MOST (times), BACK_PARAMS,
# FRONT_PARAMS (blkfront.hand_over=0 ..., on the guest's command line).
# shellcheck disable=SC1091,SC2034
. /job/table.sh

ALL_ROWS="randread-4k-qd1 randread-4k-qd32 randread-4k-qd32-b8 randread-4k-qd32-j4 read-4k-qd32
	randwrite-4k-qd32-b8 randwrite-4k-qd32-fsync randread-64k-qd32 randwrite-64k-qd32
	read-1m-qd8 write-1m-qd8 randtrim-64k-qd1"
# ROWS may also name rows of the network comparison.
ROWS=$(tr -s ' \t' '\n' <<<"${ROWS:-$ALL_ROWS}" | grep -- -qd | tr '\n' ' ')

# WORKLOAD-BLOCKSIZE-qdDEPTH[-bN][-jN][-fsync]: batches of N, N jobs with that depth each, a
# flush after every write. SIZE MiB in all: about a virtual second, in which filling pools for the
# first time does not count, and which fio's clock, which has ms, resolves.
fio_options() { # PAIR ROW
	local rw bs depth more o jobs=1 size=1024
	IFS=- read -r rw bs depth more <<<"$2"
	case $bs in 4k) size=96 ;; 64k) size=512 ;; esac
	case $2 in *-64k-qd1) size=128 ;; *-qd1 | *-fsync) size=32 ;; esac
	[ "$1" != native ] || size=$((size * 2))
	printf '%s ' "--rw=$rw" "--bs=$bs" "--iodepth=${depth#qd}"
	for o in ${more//-/ }; do
		case $o in
		b*) printf '%s ' "--iodepth_batch_submit=${o#b}" "--iodepth_batch_complete_min=${o#b}" ;;
		j*) jobs=${o#j} ;;
		fsync) printf '%s ' --fsync=1 ;;
		esac
	done
	echo "--numjobs=$jobs --group_reporting --io_size=$((size / jobs))m"
}

# fio's terse output: KiB and rate of reads, writes and discards.
measure() { # TYPE PAIR ROW DEVICE
	local rate kb block=${3#*-}
	step "$1, $2: $3"
	read -r rate kb < <(guest_run g "fio --name=bench --filename=$4 --direct=1 --ioengine=libaio \
		--exec_prerun='mark begin' --exec_postrun='mark end $1.$2.$3' --gtod_reduce=1 --minimal \
		--terse-version=4 $(fio_options "$2" "$3")" | awk -F';' 'NF > 50 { print $8 + $49 + $90, $6 + $47 + $88 }')
	case $block in 1m*) block=1024 ;; *) block=${block%%k*} ;; esac
	record "$1" "$2" "$3" "${rate:-0}" $((kb / block))
}

label_of() { echo "$1"; }
unit_of() { echo IO/s; }
insn_of() { awk -v r="$2" 'BEGIN { printf "%d\n", r ? 1e9 / r : 0 }'; }

# A disk with a cache, so that flushes reach it, and with discards; both need memory behind them.
SAFE_DISK='mount -t configfs none /sys/kernel/config && cd /sys/kernel/config/nullb && mkdir safe && cd safe &&
	for set in queue_mode=2 irqmode=0 size=64 memory_backed=1 discard=1 cache_size=16 power=1; do
		echo ${set#*=} >${set%=*} || exit
	done'
disk_of() { # ROW DISK SAFE-DISK
	case $1 in *trim* | *-fsync*) echo "$3" ;; *) echo "$2" ;; esac
}

measure_pair() { # TYPE BACK:FRONT ROW...
	local back=${2%:*} front=${2#*:} row
	# shellcheck disable=SC2086 # words
	if [ "$back" = ours ]; then load_backend ours vbd ${BACK_PARAMS-}; else load_backend intree vbd; fi ||
		die "no $back backend"
	guest_create g "$1" $APART "disk=['phy:/dev/nullb0,xvda,w','phy:/dev/safe,xvdb,w']" "load=$(front_modules vbd "$front")" \
		"cmdline=${FRONT_PARAMS-}" memory=768 ||
		die "guest with $front frontend"
	count_domains "$1" "$2" g
	for row in "${@:3}"; do measure "$1" "$2" "$row" "$(disk_of "$row" /dev/xvda /dev/xvdb)"; done
	count_end
	guest_destroy g
	wait_until 10 unload_backends vbd
}

measure_native() { # TYPE ROW...
	local row
	guest_create g "$1" $APART load=null_blk memory=768 \
		"cmdline=null_blk.nr_devices=1 null_blk.queue_mode=2 null_blk.irqmode=0 null_blk.gb=16" ||
		die "guest with a disk of its own"
	guest_run g "$SAFE_DISK" || die "the guest's second disk"
	count_domains "$1" native g
	for row in "${@:2}"; do measure "$1" native "$row" "$(disk_of "$row" /dev/nullb0 /dev/safe)"; done
	count_end
	guest_destroy g
}

[ -n "$ROWS" ] || {
	skip compare "no block row in ROWS"
	exit
}
modprobe null_blk nr_devices=1 queue_mode=2 irqmode=0 gb=16 || die "no null_blk"
sh -c "$SAFE_DISK" || die "no second disk"
# shellcheck disable=SC2086 # words
compare "I/O per virtual second" insn/IO $ROWS
