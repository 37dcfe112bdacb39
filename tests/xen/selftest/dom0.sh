# about: what cases rely on in dom0: loop, device mapper, stock hotplug scripts, a bridge, qdisk
# guest-tools: net
# expect: ok dm
# expect: ok file
# expect: ok vif
# expect: ok ping
# expect: ok iperf
# expect: ok qdisk
# shellcheck disable=SC2016 # commands for the guest
load_backend intree || die "xen-blkback"
load_backend intree vif || die "xen-netback"
backing_loop a 32
check dm sh -c "echo 0 65536 linear $BACKING 0 | dmsetup create a && blockdev --getsz /dev/mapper/a &&
	mkfs.ext4 -q /dev/mapper/a && e2fsck -fn /dev/mapper/a"
backing_file b 32
b=$BACKING
backing_file c 32
ip link add xenbr0 type bridge
ip addr add 10.0.0.1/24 dev xenbr0
ip link set xenbr0 up
guest_create g1 "disk=['phy:/dev/mapper/a,xvda,w','file:$b,xvdb,w','format=raw,vdev=xvdc,access=rw,backendtype=qdisk,target=$BACKING']" \
	"vif=['bridge=xenbr0']" || die "guest_create"
check file guest_run g1 'grep xvdb /proc/partitions && mkfs.ext4 -q /dev/xvdb'
check vif guest_run g1 'ip addr add 10.0.0.2/24 dev eth0 && ip link set eth0 up'
check ping ping -c 3 -i 0.1 10.0.0.2
iperf3 -s -1 -D
check iperf guest_run g1 'n=20; until iperf3 -c 10.0.0.1 -n 1M; do n=$((n - 1)); [ $n -gt 0 ] || exit 1
	usleep 200000; done'
check qdisk guest_run g1 'mkfs.ext4 -q /dev/xvdc && e2fsck -fn /dev/xvdc'
