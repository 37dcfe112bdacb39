# about: a frontend that breaks the protocol on its rings: refused request by request, broken queues contained, and the next one is fine
# tags: check net
# guest-type: pvh
# modules: ours
# files: lib/net.sh lib/vif-script
# guest-tools: net rogue
# limit: 500
# shellcheck disable=SC1091
. /job/net.sh

KERNEL_IGNORE='xenbr0|promiscuous|ADDRCONF|queue\(s\)|callbacks suppressed'

# evil TAG WAY [SEED] - up to where it has done its worst
evil() {
	local keys
	step "$1"
	guest_run g1 "rm -f /run/evil.*"
	guest_bg g1 evil "rogue net-way ${*:2}"
	keys=$(guest_run g1 "n=50; until grep -q tx-ring /run/bg.evil.out; do n=\$((n - 1)); [ \$n -gt 0 ] || exit 1; usleep 50000; done; cat /run/bg.evil.out") || return
	# shellcheck disable=SC2086 # words
	net_by_hand g1 $keys request-rx-copy=1 feature-rx-notify=1 feature-sg=1 feature-gso-tcpv4=1 || return
	wait_until 10 xs_is "$be/state" 2 && net_hotplug g1 || return
	xenstore-write "$fe/state" 4
	check "$1-connected" wait_until 10 xs_is "$be/state" 4
	kernel_mark
	guest_run g1 "touch /run/evil.go"
}
did() { guest_run g1 "cat /run/bg.evil.out; grep -qE 'done|failed' /run/bg.evil.out"; }
evil_end() { # TAG
	wait_until 60 did
	guest_run g1 "touch /run/evil.end"
	check "$1-did" guest_wait g1 evil 20
	ethtool -S "$(net_vif g1)" | grep -v ': 0$'
	# Gives up, and comes again: no pointer to the old ring (CVE-2026-99287), and the list of
	# addresses freed in good order (CVE-2026-100081). Failure: trouble in the log.
	xenstore-write "$fe/state" 6
	check "$1-closed" wait_until 10 xs_is "$be/state" 6
	xenstore-write "$fe/state" 1
	check "$1-again" wait_until 10 xs_is "$be/state" 2
	xenstore-write "$be/online" 0 "$fe/state" 6
	check "$1-ended" wait_until 10 xs_is "$be/state" 6
	xenstore-rm "$fe"
	xenstore-rm "$be"
	check "$1-gone" wait_until 5 net_no_dev "$(net_vif g1)"
	xenstore-rm "$err" 2>/dev/null
}
broken() { # TAG TEXT - one line, of this device
	check "$1-said" wait_until 10 xenstore-exists "$err/error"
	kernel_lines
	check "$1-lines" test "$(kernel_count "vif-$id-0.*queue 0.*$2")" = 1 -a "$(kernel_lines | wc -l)" = 1
	check "$1-error" grep -qE "$2" <<<"$(xs_key "$err/error")"
}

net_bridge || die "bridge"
net_back ours || die "backend"
before=$(net_held)
step "guest"
net_guest g1 || die "guest"
guest_run g1 "modprobe xen-evtchn && modprobe xen-gntalloc && ls /dev/xen" || die "devices"
be=$(net_be g1) fe=$(net_fe g1) id=${GUEST_ID[g1]} err=/local/domain/0/error/backend/vif/${GUEST_ID[g1]}/0

for seed in 1 2; do
	evil slots-$seed slots $seed
	evil_end slots-$seed
done
# XSA-90: NAPI took the interface down, which sleeps. Failure: trouble in the log, or no line.
for way in ahead back; do
	evil $way $way
	broken $way 'index of requests'
	evil_end $way
done
# XSA-39: chains without end. Failure: no line, but a CPU that does nothing else.
for way in endless extras; do
	evil $way $way
	broken $way 'does not end'
	evil_end $way
done
evil rx-ahead rx-ahead
broken rx-ahead 'index of buffers'
check rx-ahead-dropped timeout 5 netgen send $NET_BRIDGE "$(net_mac g1)" -k raw -n 500 -w 0
evil_end rx-ahead
evil rx-refs rx-refs
netgen send $NET_BRIDGE "$(net_mac g1)" -k raw -n 100 -m 60 -x 1500 -w 0
evil_end rx-refs

step "the next interface is fine"
check front net_front g1 "$FRONT"
check next-attach net_attach g1
check next-ping net_ping g1
check next-frames net_frames_out g1 -n 60 -x 65549
check next-detach net_detach g1
guest_destroy g1
check left wait_until 20 eval '[ "$(net_held)" = "$before" ]'
check unload net_back_unload
