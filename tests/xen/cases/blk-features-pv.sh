# about: our pair: sizes and alignments, discard, read-only, partitions, names, 4096, resize, untrusted; PV 6.1 on dom0 6.12
# tags: check blk
# dom0-kernel: 6.12
# guest-kernel: 6.1
# guest-type: pv
# modules: ours
# files: lib/blk.sh lib/blk-features.sh lib/vbd-script
# limit: 900
# shellcheck disable=SC1091
. /job/blk.sh
. /job/blk-features.sh

blk_features
