# about: checked traffic: ours and in-tree on either side, queues, offloads; PV 6.1 on dom0 6.12
# tags: check net
# dom0-kernel: 6.12
# guest-kernel: 6.1
# guest-type: pv
# smp: 2
# modules: ours
# files: lib/net.sh lib/net-matrix.sh lib/vif-script
# guest-tools: net
# limit: 900
# shellcheck disable=SC1091
. /job/net.sh
. /job/net-matrix.sh

net_matrix_some "ours ours 2 all tx-off rx-off dom0-tx-off none" "ours ours 1 all tso-off" \
	"ours intree 2 all sg-off" \
	"intree ours 1 all none"
check unload net_back_unload
