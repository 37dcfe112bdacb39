# about: our network pair beside the in-tree pair: same boot, same work, virtual time
# tags: bench
# dom0-kernel: 6.1
# files: table.sh ../xen/cases/lib/net.sh
# guest-tools: net profile
# plugin: profile
# limit: 9000
#
# A bridge with dom0's address is the network. With one CPU and one ns per instruction, 1e9 / rate
# is what guest, Xen and dom0 spend on a packet (TCP: on 1500 bytes), and a round trip of
# 100 us is 100,000 instructions.
# Settings: TYPES, ROWS, PAIRS (back:front, each intree or ours), LEAST, MOST (times), BACK_PARAMS,
# FRONT_PARAMS (netfront.queues=1 ..., on the guest's command line), MB, PACKETS.
# shellcheck disable=SC1091,SC2034
. /job/net.sh
. /job/table.sh

ALL_ROWS="tcp-out tcp-in tcp-guest udp64-out udp64-in pktgen-60 xdp-drop rr-tcp rr-udp ping"
MB=${MB:-192} PACKETS=${PACKETS:-25000}
# ROWS may also name rows of the block comparison.
rows=
for row in ${ROWS:-$ALL_ROWS}; do
	case " $ALL_ROWS " in *" $row "*) rows="$rows $row" ;; esac
done

unit_of() { case $1 in tcp-*) echo Mb/s ;; ping) echo us ;; rr-*) echo req/s ;; *) echo pps ;; esac; }
label_of() { printf '%-17s %s\n' "$1" "$(unit_of "$1")"; }
insn_of() {
	awk -v r="$2" -v unit="$(unit_of "$1")" 'BEGIN {
		printf "%d\n", unit == "us" ? r * 1000 : !r ? 0 : unit == "Mb/s" ? 12e6 / r : 1e9 / r }'
}

# In g1, what is between the marks is counted: counted COMMAND...
counted() { guest_run g1 "mark begin; $*; rc=\$?; mark end $MARK_NAME; exit \$rc"; }

# iperf3's line of the receiver: the rate of a stream, or packets that came and did so in time.
iperf() { # SERVER-ADDRESS OPTIONS...
	counted "iperf3 -c $1 -f m ${*:2}" >/run/iperf.out || cat /run/iperf.out >&2
}
stream_rate() { # MB - rate, packets of 1500 bytes
	awk -v mb="$MB" '/receiver/ { for (i = 2; i <= NF; i++) if ($i == "Mbits/sec") print $(i - 1), int(mb * 1048576 / 1500) }' /run/iperf.out
}
packet_rate() {
	awk '/receiver/ { split($3, t, "-"); for (i = 4; i <= NF; i++) if (split($i, n, "/") == 2 && $i ~ /^[0-9]+\/[0-9]+$/) print (n[2] - n[1]) / t[2], n[2] - n[1] }' /run/iperf.out
}

pktgen_rate() {
	guest_run g1 "cd /proc/net/pktgen
		echo rem_device_all >kpktgend_0; echo add_device $NET_IF >kpktgend_0
		for o in 'count $PACKETS' 'pkt_size 60' 'delay 0' 'dst 192.168.77.99' 'dst_mac 02:00:00:00:99:99'; do
			echo \"\$o\" >$NET_IF
		done
		mark begin; echo start >pgctrl; mark end $MARK_NAME
		sed -n 's/ *\([0-9]*\)pps.*/\1 $PACKETS/p' $NET_IF; echo rem_device_all >kpktgend_0"
}

# The in-tree front asks its backend to read the key before it writes it, and gets no room.
read_headroom_again() { # FRONTEND-DIRECTORY
	xenstore-write "$1/state" 7
	wait_until 5 xs_is "$(xenstore-read "$1/backend")/state" 8
	xenstore-write "$1/state" 4
}

# pktgen in dom0, and a program in the guest that drops all it gets: those per second that it got.
xdp_drop_rate() {
	local vif got us
	vif=$(net_vif g1)
	guest_bg g1 xdp "netxdp $NET_IF drop all"
	# The in-tree pair reconnects to make room in front of packets.
	guest_run g1 "until grep -qE 'attached|refused' /run/bg.xdp.out; do usleep 50000; done; usleep 200000"
	[ "$front" = ours ] || read_headroom_again "$(net_fe g1)"
	cd /proc/net/pktgen || return
	echo rem_device_all >kpktgend_0
	echo "add_device $vif" >kpktgend_0
	printf '%s\n' "count $PACKETS" "pkt_size 60" "delay 0" "dst $(net_ip g1)" "dst_mac $(net_mac g1)" |
		while read -r got; do echo "$got" >"$vif"; done
	$MARK begin
	echo start >pgctrl
	$MARK end "$MARK_NAME"
	us=$(sed -n 's/.*OK: \([0-9]*\).*/\1/p' "$vif")
	echo rem_device_all >kpktgend_0
	cd / || return
	guest_run g1 "usleep 20000; killall -TERM netxdp"
	got=$(guest_wait g1 xdp 20 | sed -n 's/^matched \([0-9]*\) .*/\1/p')
	awk -v n="$got" -v us="$us" 'BEGIN { print n * 1e6 / us, n }'
}

# 64 bytes there and back, one at a time.
rr_rate() { # tcp|udp
	local count=$((PACKETS / 10)) server
	netrr "$1" 5500 64 >/dev/null 2>&1 &
	server=$!
	sleep 0.2
	counted "netrr $1 5500 64 $NET_HERE $count" | awk -v n=$count '{ print $1, n }'
	wait $server
}

run_row() { # ROW -> rate, operations
	case $1 in
	tcp-out | tcp-in | udp64-*) net_server 5201 iperf3 -s -1 ;;
	esac
	case $1 in
	tcp-out) iperf "$NET_HERE" -n "${MB}M" && stream_rate ;;
	tcp-in) iperf "$NET_HERE" -n "${MB}M" -R && stream_rate ;;
	tcp-guest)
		ip link set "$(net_vif g2)" master "$NET_BRIDGE"
		guest_bg g2 server "iperf3 -s -1" && sleep 0.2
		iperf "$(net_ip g2)" -n "${MB}M" && stream_rate
		guest_wait g2 server >/dev/null
		ip link set "$(net_vif g2)" nomaster
		;;
	udp64-out) iperf "$NET_HERE" -u -b 0 -l 64 -k $((4 * PACKETS)) && packet_rate ;;
	# The sender of a reversed test does not count what is lost.
	udp64-in) iperf "$NET_HERE" -u -b 0 -l 64 -t 1 -R && packet_rate ;;
	pktgen-60) pktgen_rate ;;
	xdp-drop) xdp_drop_rate ;;
	rr-*) rr_rate "${1#rr-}" ;;
	ping) counted "$NET_PING -q -c 200 -i 0.01 $NET_HERE" | awk -F/ '/^rtt/ { print $5 * 1000, 200 }' ;;
	esac
}

measure() { # TYPE PAIR ROW
	local MARK_NAME=$1.$2.$3 rate ops
	step "$1, $2: $3"
	read -r rate ops < <(run_row "$3")
	record "$1" "$2" "$3" "$rate" "$ops"
}

guest_up() { # NAME TYPE FRONT
	guest_create "$1" "$2" $APART "vif=['mac=$(net_mac "$1"),bridge=$NET_BRIDGE']" "load=$(front_modules vif "$3")" \
		"cmdline=${FRONT_PARAMS-}" memory=768 && net_wait "$1" && net_up "$1" &&
		guest_run "$1" "$NET_PING -q -c 3 -i 0.1 $NET_HERE"
}

measure_pair() { # TYPE BACK:FRONT ROW...
	local back=${2%:*} front=${2#*:} row guests=g1
	# shellcheck disable=SC2086 # words
	net_back "$back" ${BACK_PARAMS-} || die "no $back backend"
	guest_up g1 "$1" "$front" || die "guest with $front frontend"
	case " ${*:3} " in *" tcp-guest "*) guests="g1 g2" ;; esac
	# The other rows have one guest on the bridge: it would get what pktgen sends.
	[ "$guests" = g1 ] || { guest_up g2 "$1" "$front" && ip link set "$(net_vif g2)" nomaster; } ||
		die "second guest"
	# Before the symbols of modules are looked at.
	{ modprobe pktgen && guest_run g1 "modprobe pktgen"; } || die "no pktgen"
	# shellcheck disable=SC2086 # words
	count_domains "$1" "$2" $guests
	for row in "${@:3}"; do measure "$1" "$2" "$row"; done
	count_end
	for row in $guests; do guest_destroy "$row"; done
	wait_until 10 net_back_unload
}

[ -n "$rows" ] || {
	skip compare-net "no network row in ROWS"
	exit
}
net_bridge || die "bridge"
# shellcheck disable=SC2086 # words
compare "per virtual second" insn $rows
note "a higher rate is better; of ping, the round trip, a lower one"
