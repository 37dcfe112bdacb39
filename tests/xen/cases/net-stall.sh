# about: guests that take no packets: no carrier after stall_seconds, carrier again as soon as they do; down, up, detach meanwhile
# tags: check net
# guest-type: pvh
# modules: ours
# files: lib/net.sh lib/vif-script
# guest-tools: net
# limit: 400
# shellcheck disable=SC1091
. /job/net.sh

carrier() { [ "$(cat "/sys/class/net/$(net_vif g1)/carrier" 2>/dev/null)" = "$1" ]; }
fill() { netgen send $NET_BRIDGE "$(net_mac g1)" -k raw -n "${1:-700}" -m 60 -x 1500 -w 0; }
# XSA-392: packets for a guest that takes none filled the memory of dom0. Failure: still a carrier.
stalls() { # TAG
	fill
	check "$1-carrier-off" wait_until 8 carrier 0
	fill 3000
}
goes_on() { # TAG
	check "$1-carrier-on" wait_until 5 carrier 1
	check "$1-ping" net_ping g1
	check "$1-frames" net_frames_in g1 -n 40 -x 65549
}

net_bridge || die "bridge"
before=$(net_held)
net_back ours stall_seconds=2 || die "backend"
step "guest"
net_guest g1 || die "guest"
net_front g1 "$FRONT" || die "front"
check attach net_attach g1 || die "attach"
if=$(net_vif g1)
xl pause g1
fill 10
sleep 5
check few-carrier carrier 1
xl unpause g1
check few-ping net_ping g1

step "paused"
xl pause g1
stalls paused
xl unpause g1
goes_on paused

step "paused, and taken down and up meanwhile"
xl pause g1
stalls down
ip link set "$if" down && ip link set "$if" up
check down-carrier-again wait_until 5 carrier 1
fill
check down-carrier-off-again wait_until 8 carrier 0
xl unpause g1
goes_on down

if [ "$FRONT" = intree ]; then
	step "its interface is down: the in-tree front leaves the ring as it is"
	guest_run g1 "$NET_IP link set $NET_IF down"
	stalls link
	guest_run g1 "$NET_IP link set $NET_IF up"
	goes_on link
	guest_run g1 "$NET_IP link set $NET_IF down"
	stalls detach
fi
dmesg | grep "$if"
check detach net_detach g1
check attach-again net_attach g1
check ping-again net_ping g1
xl pause g1
stalls destroy
xl destroy g1
check left wait_until 20 eval '[ "$(net_held)" = "$before" ]'
check unload net_back_unload
