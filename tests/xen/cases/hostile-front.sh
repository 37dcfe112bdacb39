# about: rogue frontends follow their scripts: dom0 stays silent and whole, a neighbour hardly notices
# tags: hostile blk net
# guest-type: pvh
# modules: ours
# files: lib/hostile.sh lib/rogue.sh lib/net.sh lib/blk.sh lib/vif-script lib/vbd-script
# guest-tools: net rogue
# limit: 900
# shellcheck disable=SC1091
: "${ROLES:=blk-front net-front}"
. /job/hostile.sh
