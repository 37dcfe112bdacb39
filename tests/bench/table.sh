# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# What the comparisons share: PAIRS (back:front, each intree or ours) measured with guests of
# TYPES, and a table of it; table.json beside the logs has the same. A case has
#	measure_pair TYPE PAIR ROW...	says of each row "record TYPE PAIR ROW RATE OPS", OPS being how many were done
#	measure_native TYPE ROW...	the same with "native" as PAIR, where a guest can do the work by itself
#	label_of ROW		its name in the table
#	unit_of ROW		of its rates
#	insn_of ROW RATE	instructions for one of what is counted
# The pairs take turns. Each row of a pair is measured LEAST times, and then until the last three
# rates (or as many as there are) lie within WITHIN % of their median, but no more than MOST times. The
# median of these is the result. A row finds what those before it have left (memory that stays granted,
# caches), so they are run each time, but only what is still wanted is recorded.
#
# A case that says "plugin: profile" also has every instruction between two marks counted, which
# does not change its rates: TYPE.PAIR.ROW.profile beside the logs, read by report and profile. They are of the
# first turn, and so are the operations.

TYPES=${TYPES:-pvh pv}
PAIRS=${PAIRS:-intree:intree ours:ours intree:ours ours:intree}
LEAST=${LEAST:-2} MOST=${MOST:-5} WITHIN=2
# Of TYPE,PAIR,ROW: all rates, the median and the spread (%) of the last, operations.
declare -A RATES RATE SPREAD OPS
MARK=/job/bin/mark
TURN=1 WANTED=

record() { # TYPE PAIR ROW RATE OPS
	local key=$1,$2,$3
	[[ $WANTED == *" $3 "* ]] || return 0
	RATES[$key]+=" ${4:-0}"
	[ "$TURN" != 1 ] || OPS[$key]=$5
	read -r "RATE[$key]" "SPREAD[$key]" < <(tr ' ' '\n' <<<"${RATES[$key]# }" | tail -n 3 | sort -g | awk '
		{ r[NR] = $1 }
		END {
			median = (r[int((NR + 1) / 2)] + r[int(NR / 2) + 1]) / 2
			printf "%.10g", median
			if (NR > 1 && median) printf " %.2f", 100 * (r[NR] - r[1]) / median
			print ""
		}')
	note "$1 $2 $3: ${4:-0} $(unit_of "$3")"
}
settled() { # TYPE PAIR ROW
	awk -v spread="${SPREAD[$1,$2,$3]:-100}" -v most="$WITHIN" 'BEGIN { exit spread >= most }'
}

# Look at dom0 and these guests from now on, in the first turn: count_domains TYPE PAIR GUEST...
count_domains() {
	[ "$TURN" = 1 ] || return 0
	local out=$LAB_LOG/symbols g
	[ -e "$out.xen" ] || {
		grep -i ' t ' /proc/xen/xensyms >"$out.xen"
		grep ' [tTwW] ' /proc/kallsyms | grep -v '\[' >"$out.dom0"
	}
	grep ' [tT] .*\[' /proc/kallsyms >"$out.$1.$2.dom0"
	$MARK on "$(awk '$3 == "context_switch" { print $1 }' "$out.xen")"
	$MARK domain dom0
	for g in "${@:3}"; do
		guest_run "$g" "mark domain $g"
		[ "$LAB_GUEST" = "$LAB_DOM0" ] || [ -e "$out.guest" ] ||
			guest_run "$g" "grep ' [tTwW] ' /proc/kallsyms | grep -v '\['" >"$out.guest"
		guest_run "$g" "grep ' [tT] .*\[' /proc/kallsyms" >"$out.$1.$2.$g"
	done
}
count_end() { $MARK off; }

print_row() { # TYPE ROW
	local first=${PAIRS%% *} native=${RATE[$1,native,$2]:-0} pair line rate
	line=$(printf '%-4s %-22s' "$1" "$(label_of "$2")")
	for pair in $PAIRS; do
		rate=${RATE[$1,$pair,$2]:-0}
		line+=$(awk -v r="$rate" -v base="${RATE[$1,$first,$2]:-0}" -v native="$native" -v insn="$(insn_of "$2" "$rate")" \
			-v spread="${SPREAD[$1,$pair,$2]:--}" -v most="$WITHIN" 'BEGIN {
			printf " %9d %9d", r, insn
			if (base) printf " %5.2f", r / base; else printf "     -"
			if (native) printf " %6.2f", r / native; else printf "      -"
			printf " %6s%s", spread, (spread != "-" && spread >= most ? "!" : " ") }')
	done
	note "$line"
	check "measured $1 $2" all_measured "$1" "$2"
}
all_measured() { # TYPE ROW
	local pair
	for pair in $PAIRS; do
		case "${RATES[$1,$pair,$2]:- 0} " in *" 0 "*) return 1 ;; esac
	done
}

# One object a row: rates by pair, how many operations were counted, how far apart the rates are
# that the median is of, and all of them.
json_row() { # TYPE ROW
	local pair ops spread runs
	printf '{ "guest": "%s", "row": "%s", "unit": "%s"' "$1" "$2" "$(unit_of "$2")"
	for pair in $PAIRS native; do
		printf ', "%s": %s' "$pair" "${RATE[$1,$pair,$2]:-null}"
		[ -n "${RATES[$1,$pair,$2]-}" ] || continue
		ops+=${OPS[$1,$pair,$2]:+, \"$pair\": ${OPS[$1,$pair,$2]}}
		spread+=", \"$pair\": ${SPREAD[$1,$pair,$2]:-null}"
		runs+=", \"$pair\": [$(sed 's/^ //; s/ /, /g' <<<"${RATES[$1,$pair,$2]}")]"
	done
	printf ', "ops": {%s }, "spread": {%s }, "runs": {%s } }' "${ops#,}" "${spread#,}" "${runs#,}"
}
json_table() { # ROW...
	local type row sep='['
	for type in $TYPES; do
		for row; do
			printf '%s\n%s' "$sep" "$(json_row "$type" "$row")"
			sep=,
		done
	done
	printf '\n]\n'
}

# With two CPUs, one is dom0's and one the guests'.
# shellcheck disable=SC2034 # for the cases
GUEST_VCPUS=1 APART=
pin_apart() {
	[ "$LAB_SMP" != 1 ] || return 0
	# shellcheck disable=SC2034
	APART='cpus="1"'
	echo 0 >/sys/devices/system/cpu/cpu1/online && xl vcpu-pin 0 0 0
}

turn() { # TYPE ROW... - of all pairs
	local pair row n i
	for pair in $PAIRS $(declare -F measure_native >/dev/null && echo native); do
		WANTED=" " n=0
		for ((i = 2; i <= $#; i++)); do
			row=${!i}
			[ "$TURN" -gt "$LEAST" ] && settled "$1" "$pair" "$row" && continue
			WANTED+="$row " n=$((i - 1))
		done
		[ $n != 0 ] || continue
		case $pair in
		native) measure_native "$1" "${@:2:n}" ;;
		*) measure_pair "$1" "$pair" "${@:2:n}" ;;
		esac
	done
}

compare() { # TITLE NAME-OF-INSTRUCTIONS ROW...
	local type pair row line
	pin_apart || die "no CPU for the guests alone"
	for type in $TYPES; do
		for ((TURN = 1; TURN <= MOST; TURN++)); do turn "$type" "${@:3}"; done
	done
	line=$(printf '%-27s' "$1")
	for pair in $PAIRS; do line+=$(printf ' %41s' "$pair"); done
	note "$line"
	note "$(printf '%-27s' guest; for pair in $PAIRS; do printf ' %9s %9s %5s %6s %7s' rate "$2" ratio native spread; done)"
	for type in $TYPES; do
		for row in "${@:3}"; do print_row "$type" "$row"; done
	done
	json_table "${@:3}" >"$LAB_LOG/table.json"
	note "rate: the median; ratio: to ${PAIRS%% *}; native: to the same in the guest alone"
	note "spread: of the last rates, in % of the median; ! when it was not under $WITHIN after $MOST times"
}
