# about: data suite: every combination of drivers and parameters, PV and PVH guests 6.12 on dom0 6.1
# tags: long blk
# dom0-kernel: 6.1
# guest-kernel: 6.12
# smp: 2
# modules: ours
# files: lib/blk.sh lib/blk-matrix.sh lib/vbd-script
# limit: 2400
# shellcheck disable=SC1091
. /job/blk.sh
. /job/blk-matrix.sh
blk_matrix_all
