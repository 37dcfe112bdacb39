# about: checked traffic: every combination of drivers, queues and offloads, PV and PVH guests 6.12 on dom0 6.1
# tags: long net
# dom0-kernel: 6.1
# guest-kernel: 6.12
# smp: 2
# modules: ours
# files: lib/net.sh lib/net-matrix.sh lib/vif-script
# guest-tools: net
# limit: 2400
# shellcheck disable=SC1091
. /job/net.sh
. /job/net-matrix.sh
net_matrix_all
