# about: rogue backends follow their scripts: the guest that uses them stays silent and whole, and hardly slower
# tags: hostile blk net
# guest-type: pvh
# modules: ours
# files: lib/hostile.sh lib/rogue.sh lib/net.sh lib/blk.sh lib/vif-script lib/vbd-script
# guest-tools: net rogue
# limit: 900
# shellcheck disable=SC1091
: "${ROLES:=blk-back net-back}"
. /job/hostile.sh
