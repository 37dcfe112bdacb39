# about: what the drivers do, in three minutes: our fronts and backs; disks, then the network
# tags: demo
# modules: ours
# files: lib/blk.sh lib/vbd-script lib/net.sh lib/vif-script
# guest-tools: net
# limit: 400
# shellcheck disable=SC1091
. /job/blk.sh
. /job/net.sh

load_backend ours vbd || die "blkback"
blkback=$BACKEND_DRIVER
load_backend ours vif || die "netback"
net_bridge || die "bridge"
backing_ram 64 2 || die "brd"
backing_file demo.img 32
step "xl create: a $LAB_GUEST_TYPE guest with Linux $LAB_GUEST on a dom0 with Linux $LAB_DOM0, our modules in both"
GUEST_MEM=320 guest_create demo load=xsplit,blkfront,netfront \
	'disk=["phy:/dev/ram0,xvda,w", "file:/scratch/demo.img,xvdb,w"]' \
	"vif=['mac=$(net_mac demo),bridge=$NET_BRIDGE']" || die "xl create"
note "xl create: $(grep '^disk=' /run/lab/demo.cfg)"
note "xl create: $(grep '^vif=' /run/lab/demo.cfg)"
check guest-disks guest_run demo "grep xvd /proc/partitions"
check guest-driver guest_run demo "readlink /sys/block/xvda/device/driver | grep blkfront"
check dom0-driver test "$(basename "$(readlink "$(blk_sysfs demo xvda)/driver")")" = "$blkback"
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
losetup -c "$(xs_key "$(blk_be demo xvdb)/physical-device-path")"
blk_grown() { [ "$(guest_run demo "cat /sys/block/xvdb/size")" = 98304 ]; }
check resize-seen wait_until 10 blk_grown
check resize-used guest_run demo "dd if=/run/src/all of=/dev/xvdb bs=1M seek=40 count=2 conv=fsync 2>/dev/null"

counters=$(blk_stat demo xvdb rd_req)/$(blk_stat demo xvdb wr_req)

step "network: our interface on the bridge, by Xen's vif-bridge"
check vif-connected net_wait demo
check vif-up net_up demo
check vif-bridged test -e "/sys/class/net/$NET_BRIDGE/brif/$(net_vif demo)"
check vif-driver-guest guest_run demo "ethtool -i $NET_IF | grep '^driver: netfront'"
check vif-driver-dom0 grep -q '^driver: netback' <<<"$(ethtool -i "$(net_vif demo)")"
check ping net_ping demo
rtt=$(sed -n 's,^rtt.*= [^/]*/\([^/]*\)/.*,\1,p' /run/lab/check.out)
check ping6 net_ping6 demo
step "iperf3 both ways, a file both ways with its checksum"
check iperf-out net_iperf demo out 24
out=$(cat /run/lab/check.out)
check iperf-in net_iperf demo in 24
in=$(cat /run/lab/check.out)
check file-from-guest net_file demo from
check file-to-guest net_file demo to
step "frames of every size, TCP super-frames, all bytes checked"
check frames-out net_frames_out demo -m 14 -x 1514 -t 3
check frames-in net_frames_in demo -n 200 -x 65549

step "a second guest, reached over the bridge"
GUEST_MEM=256 guest_create demo2 load=xsplit,netfront "vif=['mac=$(net_mac demo2),bridge=$NET_BRIDGE']" || die "second guest"
check guest2-connected net_wait demo2
check guest2-up net_up demo2
check guest2-ping guest_run demo "$NET_PING -q -c 3 -i 0.02 -W 2 $(net_ip demo2)"
guest_bg demo2 file "mkfifo /run/never; nc -l -p 5300 0<>/run/never >/run/got; md5sum </run/got"
guest_run demo2 'n=100; until grep -q ":14B4 .* 0A" /proc/net/tcp /proc/net/tcp6; do n=$((n - 1)); [ $n -gt 0 ] || exit; usleep 20000; done'
sum=$(guest_run demo "nc $(net_ip demo2) 5300 </run/src/all; md5sum </run/src/all")
check guest2-file test "$(guest_wait demo2 file 20)" = "$sum"

step "jumbo frames, a VLAN on top"
for d in "$NET_BRIDGE" "$(net_vif demo)"; do ip link set "$d" mtu 9000; done
ip link set "$NET_BRIDGE" mtu 9000
check jumbo guest_run demo "$NET_IP link set $NET_IF mtu 9000"
check jumbo-ping net_ping demo 0 -M do -s 8972
check jumbo-frames net_frames_out demo -n 100 -x 65549 -u 9000
guest_run demo "modprobe 8021q; $NET_IP link add link $NET_IF name v77 type vlan id 77 && $NET_IP link set v77 up &&
	$NET_IP addr add 192.168.177.11/24 dev v77"
modprobe 8021q
ip link add link "$NET_BRIDGE" name v77 type vlan id 77 && ip link set v77 up && ip addr add 192.168.177.1/24 dev v77
check vlan-ping guest_run demo "$NET_PING -q -c 3 -i 0.02 -W 2 192.168.177.1"
check vlan-stream net_data demo out stream 192.168.177.1 -n 4000000
guest_run demo "$NET_IP link del v77"
ip link del v77

step "link down and up"
check link-down guest_run demo "$NET_IP link set $NET_IF down"
check link-silent test "$(NET_PINGS=1 net_ping_guest demo -W 1 >/dev/null; echo $?)" != 0
check link-up guest_run demo "$NET_IP link set $NET_IF up"
check link-ping net_ping demo

step "xl network-attach and network-detach while a stream runs on the first interface"
ip addr add "$(net_ip_here 2)/24" dev "$NET_BRIDGE"
net_server 5600 netgen stream-recv 5600 -n 200000000
stream=$NET_SERVER
guest_bg demo stream "netgen stream-send $NET_HERE 5600 -n 200000000"
check plug xl network-attach demo mac="$(net_mac demo 1)" bridge="$NET_BRIDGE"
check plug-connected net_wait demo 1
check plug-used guest_run demo "$NET_IP addr add $(net_ip demo 2)/24 dev $NET_IF && $NET_IP link set $NET_IF up &&
	$NET_PING -q -c 3 -i 0.02 -W 2 $(net_ip_here 2)"
check plug-detach net_detach demo 1
check plug-still-busy guest_running demo stream
check plug-stream guest_wait demo stream 60
wait "$stream"
check plug-verified test $? = 0
frames=$(net_count dom0 "$(net_vif demo)" rx_packets)/$(net_count dom0 "$(net_vif demo)" tx_packets)

step "power off, unload"
check poweroff guest_poweroff demo
check poweroff-2 guest_poweroff demo2
check nothing-left wait_until 10 xs_no_key /local/domain/0/backend/vbd
check no-vif-left wait_until 10 xs_no_key /local/domain/0/backend/vif
check unload rmmod blkback netback

note "------------------------------------------------------------------------------"
note "guests  Linux $LAB_GUEST, $LAB_GUEST_TYPE, blkfront.ko, netfront.ko; dom0 Linux $LAB_DOM0, blkback.ko, netback.ko; Xen 4.17, xl"
note "disk    $agreed"
note "files   8 seeded files on ext4, checksums equal in guest and on dom0's /dev/ram0"
note "fio     512 B .. 1 MiB random, crc32c right in guest and in dom0's file"
note "plug    third disk attached, written, checked in dom0 and detached during verified I/O"
note "resize  32 -> 48 MiB seen and used without a reconnect"
note "xvdb    $counters requests read/written, counted by the backend"
note "net     ping $rtt ms; TCP $out Mb/s to dom0, $in Mb/s from dom0 (of emulated time)"
note "        files both ways and to a second guest: checksums equal; frames of 14 B .. 64 KiB byte for byte"
note "        jumbo 9000, VLAN 77, link down/up, second interface attached and detached during a checked stream"
note "vif     $frames frames received/sent by the backend"
note "------------------------------------------------------------------------------"
