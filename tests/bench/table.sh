# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# What the comparisons share: PAIRS (back:front, each intree or ours) measured with guests of
# TYPES, and a table of it. A case has
#	measure_pair TYPE PAIR	sets RATE[TYPE,PAIR,ROW]
#	label_of ROW		its name in the table
#	insn_of ROW RATE	instructions for one of what is counted

TYPES=${TYPES:-pvh pv}
PAIRS=${PAIRS:-intree:intree ours:ours}
declare -A RATE

print_row() { # TYPE ROW
	local first=${PAIRS%% *} pair line rate
	line=$(printf '%-4s %-22s' "$1" "$(label_of "$2")")
	for pair in $PAIRS; do
		rate=${RATE[$1,$pair,$2]:-0}
		line+=$(awk -v r="$rate" -v base="${RATE[$1,$first,$2]:-0}" -v insn="$(insn_of "$2" "$rate")" 'BEGIN {
			printf " %9d %9d", r, insn
			if (base) printf " %5.2f", r / base; else printf "     -" }')
	done
	note "$line"
	check "measured $1 $2" [ "${RATE[$1,${PAIRS##* },$2]:-0}" != 0 ]
}

compare() { # TITLE NAME-OF-INSTRUCTIONS ROW...
	local type pair row line
	for type in $TYPES; do
		for pair in $PAIRS; do
			measure_pair "$type" "$pair"
		done
	done
	line=$(printf '%-27s' "$1")
	for pair in $PAIRS; do line+=$(printf ' %26s' "$pair"); done
	note "$line"
	note "$(printf '%-27s' guest; for pair in $PAIRS; do printf ' %9s %9s %5s' rate "$2" ratio; done)"
	for type in $TYPES; do
		for row in "${@:3}"; do print_row "$type" "$row"; done
	done
}
