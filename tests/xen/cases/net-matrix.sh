# about: checked traffic: ours and in-tree on either side, queues, offloads; PVH 6.12 on dom0 6.1
# tags: check net
# guest-kernel: 6.12
# guest-type: pvh
# smp: 2
# modules: ours
# files: lib/net.sh lib/net-matrix.sh lib/vif-script
# guest-tools: net
# limit: 900
# shellcheck disable=SC1091
. /job/net.sh
. /job/net-matrix.sh

net_matrix_some "ours ours 2 $NET_OFFLOADS_ALL" "ours ours 1 all none" \
	"ours intree 2 all tx-off" "ours intree 1 sg-off dom0-tso-off" \
	"intree ours 2 all dom0-tx-off" "intree ours 1 tso-off dom0-sg-off"
check unload net_back_unload
