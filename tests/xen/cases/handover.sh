# about: who waits for a backend that answers at once hands its CPU over and needs no interrupt; for others nothing changes
# tags: check blk net
# guest-type: pvh
# modules: ours
# files: lib/net.sh lib/vif-script
# guest-tools: net
# limit: 600
# shellcheck disable=SC1091
. /job/net.sh

READS=2000 PINGS=300

interrupts() { # REGEX - of the guest
	guest_run g1 "cat /proc/interrupts" | awk -v name="$1" '$NF ~ name { n += $2 } END { print n + 0 }'
}
switch() { guest_run g1 "echo $2 >/sys/module/$1/parameters/hand_over"; } # MODULE Y|N
below() { echo "$1, less than $2 wanted"; [ "$1" -lt "$2" ]; }
above() { echo "$1, more than $2 wanted"; [ "$1" -gt "$2" ]; }

# reads TAG DISK DEPTH below|above INTERRUPTS
reads() {
	local before
	before=$(interrupts "vbd-$(vdev_of "$2")")
	check "$1" guest_run g1 "fio --name=r --filename=/dev/$2 --direct=1 --ioengine=libaio --rw=randread --bs=4k \
		--size=32m --iodepth=$3 --number_ios=$READS --gtod_reduce=1 --minimal >/dev/null"
	check "$1-interrupts" "$4" $(($(interrupts "vbd-$(vdev_of "$2")") - before)) "$5"
}
vdev_of() { case $1 in xvda) echo 51712 ;; xvdb) echo 51728 ;; esac; }

handed_over() { guest_run g1 "ethtool -S $NET_IF" | awk '/tx_handed_over:/ { n += $2 } END { print n + 0 }'; }
pings() { # TAG below|above COUNT
	local before
	before=$(handed_over)
	check "$1" guest_run g1 "$NET_PING -q -c $PINGS -i 0.002 -W 2 $NET_HERE | grep -q ' 0% packet loss'"
	check "$1-handed-over" "$2" $(($(handed_over) - before)) "$3"
}

net_bridge || die "bridge"
net_back ours || die "network backend"
load_backend ours vbd || die "block backend"
backing_ram 64
# Answers each request 50 us later.
modprobe null_blk nr_devices=1 queue_mode=2 irqmode=2 completion_nsec=50000 gb=1 || die "null_blk"

for type in pvh pv; do
	step "$type"
	GUEST_MEM=256 guest_create g1 "$type" "load=$(front_modules vbd ours),$(front_modules vif ours)" \
		"disk=['phy:/dev/ram0,xvda,w','phy:/dev/nullb0,xvdb,w']" "vif=['$(net_spec g1)']" || die "guest"
	check "$type-connected" net_wait g1
	check "$type-up" net_up g1

	reads "$type-quick" xvda 1 below $((READS / 10))
	reads "$type-quick-many" xvda 16 below $((READS / 16 / 4))
	# A look every so often, and no more.
	reads "$type-slow" xvdb 1 above $((READS * 9 / 10))
	check "$type-verified" guest_run g1 "fio --name=v --filename=/dev/xvda --direct=1 --ioengine=libaio --rw=randrw \
		--bs=4k --size=8m --iodepth=4 --verify=crc32c --gtod_reduce=1 --minimal >/dev/null"
	pings "$type-pings" above $((PINGS / 2))

	switch blkfront N && switch netfront N || die "parameters"
	reads "$type-off" xvda 1 above $((READS * 9 / 10))
	pings "$type-pings-off" below 1
	guest_destroy g1
done
check unload unload_backends vbd
check net-unload net_back_unload
