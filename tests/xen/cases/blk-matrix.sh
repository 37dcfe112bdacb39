# about: data suite: ours and in-tree on either side, queues, ring orders, persistent grants; PVH 6.12 on dom0 6.1
# tags: check blk
# guest-kernel: 6.12
# guest-type: pvh
# smp: 2
# modules: ours
# files: lib/blk.sh lib/blk-matrix.sh lib/vbd-script
# limit: 900
# shellcheck disable=SC1091
. /job/blk.sh
. /job/blk-matrix.sh

blk_matrix_some "ours ours 2 4 1 1" "ours ours 1 0 0 1" "ours ours 2 0 1 0" \
	"ours intree 2 4 1 1" "ours intree 1 0 0 0" \
	"intree ours 2 4 1 1" "intree ours 1 0 0 1"
