# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# What the network cases share. A case says
#	# files: lib/net.sh lib/vif-script
#	# guest-tools: net
# and sources /job/net.sh. Which drivers: --set FRONT=ours|intree BACK=ours|intree.
# Guests are made without interfaces and load their front later, so that one guest's life
# serves many configurations. Guest NAME is g1 .. g9, and the digit is in its addresses.

: "${FRONT:=ours}" "${BACK:=ours}"
NET_BRIDGE=xenbr0
NET_QUICK=script=/job/vif-script # for vif lines; without it Xen's vif-bridge runs
NET_HERE=192.168.77.1 NET_HERE6=fd77::1
# In guests, whose shell would take its own.
NET_IP=/usr/sbin/ip NET_PING=/bin/ping

# --- names -------------------------------------------------------------------------------

net_no() { case $1 in *[0-9]) echo "${1#"${1%?}"}" ;; *) echo 0 ;; esac; }
net_mac() { echo "00:16:3e:00:0$(net_no "$1"):0${2:-0}"; }         # NAME [INDEX]
net_ip() { echo "192.168.$((77 + ${2:-0})).1$(net_no "$1")"; }     # NAME [INDEX]
net_ip6() { echo "fd$((77 + ${2:-0}))::1$(net_no "$1")"; }         # NAME [INDEX]
net_be() { echo "/local/domain/0/backend/vif/${GUEST_ID[$1]}/${2:-0}"; } # NAME [INDEX]
net_fe() { echo "/local/domain/${GUEST_ID[$1]}/device/vif/${2:-0}"; }
net_vif() { echo "vif${GUEST_ID[$1]}.${2:-0}"; }
net_connected() { # NAME [INDEX]
	local be=/local/domain/0/backend/vif/${GUEST_ID[$1]}/${2:-0} v
	v=$(xenstore-read "$be/state" "$be/hotplug-status" "/local/domain/${GUEST_ID[$1]}/device/vif/${2:-0}/state" 2>&1) &&
		[ "$v" = $'4\nconnected\n4' ]
}
net_queues() { # NAME [INDEX] - how many were agreed
	local n
	n=$(xs_key "$(net_fe "$@")/multi-queue-num-queues")
	echo "${n:-1}"
}
net_spec() { # NAME [INDEX] [KEY=VALUE...] - for vif= and network-attach, with the quick script
	local more
	more=$(printf '%s,' "mac=$(net_mac "$1" "${2:-0}")" "bridge=$NET_BRIDGE" "$NET_QUICK" "${@:3}")
	echo "${more%,}"
}

# --- drivers -----------------------------------------------------------------------------

# The only backend from now on: net_back ours|intree [PARAM=V...]
net_back() { net_back_unload && load_backend "$1" vif "${@:2}"; }
net_back_unload() { unload_backends vif; }
# The only front of a guest from now on: net_front NAME ours|intree [PARAM=V...]
net_front() { guest_front "$1" vif "${@:2}"; }
# A guest without interfaces and without a network front: net_guest NAME [pv|pvh] [6.1|6.12] [ITEM...]
net_guest() { GUEST_MEM=384 GUEST_LOAD=crc32c_generic guest_create "$@"; }

# What most cases begin with: the bridge, the backend, and g1 with the front; no interface yet.
net_begin() {
	net_bridge || die "bridge"
	net_back "$BACK" || die "backend"
	step "guest"
	net_guest g1 || die "guest"
	net_front g1 "$FRONT" || die "front"
}
# Or with an interface from the start.
net_begin_plugged() {
	net_bridge || die "bridge"
	net_back "$BACK" || die "backend"
	step "guest"
	GUEST_MEM=256 guest_create g1 "load=$(front_modules vif "$FRONT")" "vif=['$(net_spec g1)']" || die "guest"
	check connected net_wait g1 || die "no vif"
	check up net_up g1
	check ping net_ping g1
}

# --- interfaces --------------------------------------------------------------------------

net_bridge() { # with dom0's addresses
	modprobe bridge
	# An address is wanted now, not after a second of duplicate detection.
	echo 0 >/proc/sys/net/ipv6/conf/default/accept_dad
	ip link add "$NET_BRIDGE" address 02:00:00:00:77:01 type bridge stp_state 0 \
		forward_delay 0 mcast_snooping 0 &&
		ip addr add "$NET_HERE/24" dev "$NET_BRIDGE" &&
		ip addr add "$NET_HERE6/64" dev "$NET_BRIDGE" nodad &&
		ip link set "$NET_BRIDGE" up
}
net_here_mac() { cat "/sys/class/net/$NET_BRIDGE/address"; }

# Until the guest has the interface: its name there is in NET_IF. net_wait NAME [INDEX]
net_wait() {
	wait_until 20 net_connected "$@" || {
		echo "vif ${*:2} of $1: back $(xs_key "$(net_be "$@")/state"), front $(xs_key "$(net_fe "$@")/state")," \
			"hotplug '$(xs_key "$(net_be "$@")/hotplug-status")'" \
			"$(xs_key "/local/domain/0/error/backend/vif/${GUEST_ID[$1]}/${2:-0}/error")"
		return 1
	}
	NET_IF=$(guest_run "$1" "n=100; until d=\$(ls -d /sys/bus/xen/devices/vif-${2:-0}/net/*); do
		n=\$((n - 1)); [ \$n -gt 0 ] || exit 1; usleep 50000; done 2>/dev/null; echo \${d##*/}")
}

# Addresses in the guest, link up: net_up NAME [INDEX]. NET_IF as left by net_wait.
net_up() {
	guest_run "$1" "echo 0 >/proc/sys/net/ipv6/conf/all/accept_dad
		$NET_IP link set $NET_IF up && $NET_IP addr add $(net_ip "$@")/24 dev $NET_IF &&
		$NET_IP addr add $(net_ip6 "$@")/64 dev $NET_IF nodad && sleep 0.05"
}

net_attach() { # NAME [INDEX] [KEY=VALUE...] - plugged in, connected and up
	# shellcheck disable=SC2046 # words
	xl network-attach "$1" $(net_spec "$@" | tr , ' ') && net_wait "$1" "${2:-0}" && net_up "$1" "${2:-0}"
}

net_detach() { # NAME [INDEX] - until no trace is left
	local be vif
	be=$(net_be "$@") vif=$(net_vif "$@")
	xl network-detach "$1" "${2:-0}" || return
	wait_until 15 xs_no_key "$be" || {
		echo "left of the backend's directory:"
		xenstore-ls "$be"
		return 1
	}
	wait_until 5 net_no_dev "$vif" && net_wait_gone "$@"
}
# Nodes by hand: net_by_hand NAME [KEY=VALUE...] - of the frontend
net_by_hand() {
	device_by_hand "$(net_be "$1")" "$(net_fe "$1")" "${GUEST_ID[$1]}" script=/job/vif-script "mac=$(net_mac "$1")" \
		"bridge=$NET_BRIDGE" handle=0 type=vif hotplug-status= -- handle=0 "mac=$(net_mac "$1")" "${@:2}"
}
net_no_dev() { [ ! -e "/sys/class/net/$1" ]; }
# The guest's side of it. The bus forgets a device before its interface is gone, and the in-tree
# front never gets over a new one in that moment.
net_wait_gone() { # NAME [INDEX]
	guest_run "$1" "n=200; mac=$(net_mac "$@")
		while [ -e /sys/bus/xen/devices/vif-${2:-0} ] || grep -q \$mac /sys/class/net/*/address; do
			n=\$((n - 1)); [ \$n -gt 0 ] || exit 1; usleep 50000; done"
}

# Offloads by ethtool: net_features NAME|dom0 DEVICE FEATURE on|off...
net_features() {
	if [ "$1" = dom0 ]; then
		ethtool -K "$2" "${@:3}"
	else
		guest_run "$1" "ethtool -K $2 ${*:3}"
	fi
}
net_has() { # NAME|dom0 DEVICE FEATURE on|off
	local cmd="ethtool -k $2"
	if [ "$1" = dom0 ]; then $cmd; else guest_run "$1" "$cmd"; fi | grep -E "^[[:space:]]*$3: $4"
}
net_count() { # NAME|dom0 DEVICE COUNTER - of rtnetlink, e.g. rx_packets
	if [ "$1" = dom0 ]; then
		cat "/sys/class/net/$2/statistics/$3"
	else
		guest_run "$1" "cat /sys/class/net/$2/statistics/$3"
	fi
}

# --- traffic -----------------------------------------------------------------------------

net_ping() { # NAME [INDEX] [PING OPTIONS] - from the guest to dom0 and back
	guest_run "$1" "$NET_PING -q -c ${NET_PINGS:-3} -i 0.02 -W 2 ${*:3} $(net_ip_here "${2:-0}")"
}
net_ip_here() { echo "192.168.$((77 + $1)).1"; }
net_ping6() { guest_run "$1" "$NET_PING -6 -q -c ${NET_PINGS:-3} -i 0.02 -W 2 $NET_HERE6"; } # NAME
net_ping_guest() { ping -q -c "${NET_PINGS:-3}" -i 0.02 -W 2 "${@:2}" "$(net_ip "$1")"; } # NAME [OPTIONS]

# Mb/s that arrived: net_iperf NAME out|in [MB] [IPERF OPTIONS]
net_iperf() {
	local way=
	[ "$2" = out ] || way=-R
	net_server 5201 iperf3 -s -1
	guest_run "$1" "iperf3 -c $NET_HERE -f m -n ${3:-16}M $way ${*:4}" >/run/iperf.out &&
		awk '/receiver/ { for (i = 2; i <= NF; i++) if ($i ~ /bits\/sec/) v = $(i - 1) }
			END { if (v) print int(v); exit !v }' /run/iperf.out || {
		kill "$NET_SERVER" 2>/dev/null
		cat /run/iperf.out
		return 1
	}
}

# Start a server here and wait until it listens: net_server PORT COMMAND...
net_server() {
	local port=$1
	shift
	# Said again: a job in the background would otherwise get an empty input.
	timeout 90 "$@" <&0 >/run/server.out 2>&1 &
	NET_SERVER=$!
	wait_until 5 net_listens "$port"
}
net_listens() { grep -qE "^ *[0-9]+: [0-9A-F]+:$(printf %04X "$1") [0-9A-F:]+ 0A" /proc/net/tcp /proc/net/tcp6; }

# A file from one to the other and its checksum: net_file NAME to|from [MB]
net_file() {
	local sum size=$((${3:-4} << 20))
	# A listener whose input has ended would not wait for the other's.
	[ -p /run/never ] || mkfifo /run/never
	if [ "$2" = from ]; then
		net_server 5300 busybox nc -l -p 5300 0<>/run/never
		sum=$(guest_run "$1" "head -c $size /dev/urandom >/run/file; timeout 60 nc $NET_HERE 5300 </run/file
			md5sum </run/file")
		wait "$NET_SERVER"
		[ "$(wc -c </run/server.out)" = "$size" ] && [ "$(md5sum </run/server.out)" = "$sum" ]
	else
		head -c "$size" /dev/urandom >/run/file
		guest_bg "$1" file "[ -p /run/never ] || mkfifo /run/never
			timeout 60 nc -l -p 5300 0<>/run/never >/run/file.got; md5sum </run/file.got"
		guest_run "$1" 'n=100; until grep -q ":14B4 .* 0A" /proc/net/tcp /proc/net/tcp6; do n=$((n - 1)); [ $n -gt 0 ] || exit; usleep 20000; done'
		timeout 60 busybox nc "$(net_ip "$1")" 5300 </run/file
		sum=$(guest_wait "$1" file 20) && [ "$(md5sum </run/file)" = "$sum" ]
	fi
}

# From a guest to dom0: net_to_here NAME 'sender in the guest' RECEIVER...
net_to_here() {
	local rc receiver
	timeout 90 "${@:3}" >/run/gen.out 2>&1 &
	receiver=$!
	guest_run "$1" "$2"
	wait $receiver
	rc=$?
	cat /run/gen.out
	return $rc
}

# Frames of a seeded plan, checked byte for byte; "$@" are netgen's options.
net_frames_out() { # NAME OPTIONS... - guest to dom0
	net_to_here "$1" "netgen send $NET_IF $(net_here_mac) ${*:2}" netgen recv "$NET_BRIDGE" "${@:2}"
}
net_frames_in() { # NAME OPTIONS... - dom0 to guest
	guest_bg "$1" gen "netgen recv $NET_IF ${*:2}"
	netgen send "$NET_BRIDGE" "$(net_mac "$1")" "${@:2}"
	guest_wait "$1" gen
}
net_frames_between() { # NAME NAME OPTIONS... - guest to guest, both with NET_IF
	guest_bg "$2" gen "netgen recv $NET_IF ${*:3}"
	guest_run "$1" "netgen send $NET_IF $(net_mac "$2") ${*:3}"
	guest_wait "$2" gen
}

# Streams and datagrams of odd pieces: net_data NAME out|in stream|udp ADDRESS OPTIONS...
# ADDRESS is the receiver's.
net_data() {
	if [ "$2" = out ]; then
		net_to_here "$1" "netgen $3-send $4 5400 ${*:5}" netgen "$3-recv" 5400 "${@:5}"
		return
	fi
	guest_bg "$1" gen "netgen $3-recv 5400 ${*:5}"
	netgen "$3-send" "$4" 5400 "${@:5}" && guest_wait "$1" gen
}

# Frames both ways that nobody counts: net_flood NAME; net_flood_end NAME. The part of dom0
# alone: net_flood_in NAME; net_flood_in_end.
net_flood() {
	guest_bg "$1" flood "while [ ! -e /run/stop ]; do
		netgen send $NET_IF $(net_here_mac) -w 0 -n 300 -x 30000 >/dev/null 2>&1 || usleep 50000; done; rm /run/stop"
	net_flood_in "$1"
}
net_flood_in() {
	(
		set +x
		while [ ! -e /run/stop ]; do
			netgen send "$NET_BRIDGE" "$(net_mac "$1")" -w 0 -n 300 -x 30000
		done
	) >/dev/null 2>&1 &
	NET_FLOOD=$!
}
net_flood_in_end() {
	touch /run/stop
	wait "$NET_FLOOD"
	rm /run/stop
}
net_flood_end() { # did the guest's part end?
	net_flood_in_end
	guest_run "$1" "touch /run/stop"
	guest_wait "$1" flood 60 >/dev/null
	[ $? != 124 ]
}

# --- leftovers ---------------------------------------------------------------------------

# What backends hold in dom0 and Xen, as lines that can be compared.
net_held() {
	echo "interrupts $(grep -cE 'vif[0-9]+[.-]|netback' /proc/interrupts)"
	echo "threads $(cat /proc/[0-9]*/comm 2>/dev/null | grep -cE '^vif[0-9]+[.-]|^netback')"
	echo "netdevs $(find /sys/class/net -name 'vif*' | wc -l)"
	# Directories stay, empty.
	echo "nodes $(xenstore-ls /local/domain/0/backend 2>/dev/null | grep -vc '""$')"
	echo "domains $(xl list | wc -l)"
}

# Run a vif's hotplug script as udev or xl would: net_hotplug NAME [INDEX]. A backend that was
# bound again has a new network device, and nobody tells xl.
net_hotplug() {
	local path
	path=backend/vif/${GUEST_ID[$1]}/${2:-0}
	wait_until 5 test -e "/sys/class/net/$(net_vif "$@")" || return
	vif=$(net_vif "$@") XENBUS_PATH=$path "$(xenstore-read "$path/script")" online
}
