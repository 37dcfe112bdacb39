# about: data suite: the other combinations of blk-matrix; PV 6.1 on dom0 6.12
# tags: check blk
# dom0-kernel: 6.12
# guest-kernel: 6.1
# guest-type: pv
# smp: 2
# modules: ours
# files: lib/blk.sh lib/blk-matrix.sh lib/vbd-script
# limit: 900
# shellcheck disable=SC1091
. /job/blk.sh
. /job/blk-matrix.sh

blk_matrix_some "ours ours 2 4 0 0" "ours ours 1 4 1 1" "ours ours 2 0 0 1" \
	"ours intree 2 0 1 1" "ours intree 1 4 0 1" \
	"intree ours 2 0 1 0" "intree ours 1 4 1 1"
