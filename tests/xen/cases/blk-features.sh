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

step "guest"
backing_ram 64 3 || die "brd"
blk_guest g1 || die "guest"
check seed blk_seed g1
blk_back "$BLK_BACK" || die "backend"
check front blk_front g1 "$BLK_FRONT" || die "front"
for part in ${PARTS:-blk_plain blk_discard blk_readonly blk_partitions blk_names blk_cdrom blk_4k \
	blk_resize blk_untrusted}; do
	"$part" g1 || fail "$part" "was not carried out"
done
check unload blk_back_unload
