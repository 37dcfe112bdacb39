# about: our pair: sizes and alignments, discard, read-only, partitions, names, 4096, resize, untrusted; PVH 6.12 on dom0 6.1
# tags: check blk
# dom0-kernel: 6.1
# guest-kernel: 6.12
# guest-type: pvh
# modules: ours
# files: lib/blk.sh lib/blk-features.sh lib/vbd-script
# limit: 900
# shellcheck disable=SC1091
. /job/blk.sh
. /job/blk-features.sh

blk_features
