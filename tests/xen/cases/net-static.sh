# about: static grants: mapped under load, used both ways, given up when idle, with and without them at either end
# tags: check net
# guest-type: pvh
# smp: 2
# modules: ours
# files: lib/net.sh lib/vif-script
# guest-tools: net
# limit: 900
# shellcheck disable=SC1091
. /job/net.sh

# Frames that dom0 maps for the guest's devices.
mapped() {
	xl dmesg -c >/dev/null
	xl debug-keys g
	xl dmesg | grep -cF '(XEN) [0x'
}
sum_of() { awk -v name="$1" '$1 ~ name ":$" { n += $2 } END { print n + 0 }'; }
guest_counter() { guest_run g1 "ethtool -S $NET_IF" | sum_of "$1"; } # REGEX
dom0_counter() { ethtool -S "$(net_vif g1)" | sum_of "$1"; }
verify() { # TAG
	check "$1-out" net_frames_out g1 -n 60 -x 65549
	check "$1-in" net_frames_in g1 -n 60 -x 65549
}
load() { # TAG
	check "$1-load-out" net_iperf g1 out 8
	check "$1-load-in" net_iperf g1 in 8
}
used_or_load() { # out|in COUNTER PAGES
	[ "$(guest_counter "$2")" -lt "$3" ] || return 0
	net_iperf g1 "$1" 8
	return 1
}
# How soon there are mapped pages depends on when the guest's worker runs: load until they are used.
load_used() { # TAG OUT IN
	load "$1"
	check "$1-used-out" wait_until 20 used_or_load out tx_static_pages "$2"
	check "$1-used-in" wait_until 20 used_or_load in rx_static_pages "$3"
}
small() { # TAG
	check "$1-small" guest_run g1 "$NET_PING -q -f -c 600 $NET_HERE"
}

net_begin
step "not before there is load"
check attach net_attach g1
check offered xs_is "$(net_be g1)/feature-static-grants" 1
check ring xenstore-exists "$(net_fe g1)/ctrl-ring-ref"
check ping net_ping g1
before=$(mapped)
check none-out test "$(guest_counter tx_static_pages)" = 0
check none-in test "$(guest_counter rx_static_pages)" = 0

step "load"
load_used first 100 100
small first
during=$(mapped)
note "mapped frames: $before, under load $during"
check mapped test "$during" -ge $((before + 128))
check used-dom0-out test "$(dom0_counter 'tx_[0-9]*_mapped')" -ge 100
check used-dom0-in test "$(dom0_counter 'rx_[0-9]*_mapped')" -ge 100
verify mapped
check mapped-file-out net_file g1 from 2
check mapped-file-in net_file g1 to 2

step "idle: given up"
given_up() { [ "$(mapped)" -le "$before" ]; }
check given-up wait_until 60 given_up
verify idle
used_out=$(guest_counter tx_static_pages) used_in=$(guest_counter rx_static_pages)

step "load again, beside a hash: mapped again"
check hash guest_run g1 "ethtool -K $NET_IF rxhash on"
load_used again $((used_out + 100)) $((used_in + 100))
check mapped-again test "$(mapped)" -ge $((before + 128))
verify hash

step "the backend is replaced under load"
net_flood g1
sleep 0.3
check replaced net_back "$BACK" max_static_grants=100
check replaced-hotplug net_hotplug g1
check replaced-connected net_wait g1
check replaced-flood net_flood_end g1
load few
check few-limit test "$(mapped)" -le $((before + 200))
verify few

step "the backend does not offer them"
check off net_back "$BACK" max_static_grants=0
check off-hotplug net_hotplug g1
check off-connected net_wait g1
check off-key xs_is "$(net_be g1)/feature-static-grants" 0
used_out=$(guest_counter tx_static_pages)
load off
check off-unused test "$(guest_counter tx_static_pages)" = "$used_out"
check off-detach net_detach g1

step "the front does not want them"
check back net_back "$BACK"
check unwanted net_front g1 "$FRONT" static_grants=0
check unwanted-attach net_attach g1
check unwanted-no-ring xs_no_key "$(net_fe g1)/ctrl-ring-ref"
check unwanted-ping net_ping g1
check unwanted-detach net_detach g1

step "a backend that is not trusted; the guest dies with all of it"
check front net_front g1 "$FRONT"
check untrusted-attach net_attach g1 0 untrusted
load_used untrusted 100 100
verify untrusted
guest_destroy g1
gone() { xs_no_key "$(net_be g1)" && [ "$(xl list | wc -l)" = 2 ]; }
check destroyed wait_until 15 gone
check unload wait_until 15 net_back_unload
