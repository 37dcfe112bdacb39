# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# g1 destroyed in the middle of its work, again and again, and what is left then. A case has
#	work ROUND	until it works again, after it was restored
#	work_end	when it is gone

ROUNDS=${ROUNDS:-3}

# CVE-2010-3699: a backend kept threads and references of a guest that was gone. Failure: left-N.
held_again() { [ "$("$held")" = "$before" ]; }

destroy_round() { # ROUND
	step "round $1"
	check "restore-$1" guest_restore g1 /scratch/g1.save || return
	work "$1"
	pause "$1" 300
	unset "GUEST_TTY[g1]"
	check "destroy-$1" xl destroy g1
	unset "GUEST_ID[g1]"
	work_end
	check "left-$1" wait_until 20 held_again || {
		busybox diff <(echo "$before") <("$held")
		xl list
	}
}

# destroy_rounds COMMAND BEFORE - what backends hold, and what that was without g1
destroy_rounds() {
	local held=$1 before=$2 round dom0_free xen_free dom0_now xen_now
	check image guest_save g1 /scratch/g1.save || die "no image"
	check image-left wait_until 15 held_again
	read -r dom0_free xen_free < <(free_mb)
	step "$dom0_free MB free in dom0, $xen_free in Xen"
	for round in $(seq "$ROUNDS"); do
		destroy_round "$round" || break
	done
	read -r dom0_now xen_now < <(free_mb)
	note "free MB in dom0: $dom0_free, then $dom0_now; in Xen: $xen_free, then $xen_now"
	check memory-of-xen test "$xen_now" -ge $((xen_free - 2))
	check memory-of-dom0 test "$dom0_now" -ge $((dom0_free - 6))
	check no-grants no_grants
}

# No grant of a guest is in Xen's list.
no_grants() {
	xl dmesg -c >/dev/null
	xl debug-keys g
	xl dmesg >"$LAB_LOG/grants.txt"
	awk '/gnttab_usage_print/ { seen = 1 } /remote d[1-9]/ { print; bad = 1 } END { exit !seen || bad }' "$LAB_LOG/grants.txt"
}
