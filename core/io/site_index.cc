#include "core/io/site_index.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/io/staged_file.h"
#include "htslib/tbx.h"

namespace genoserve {
namespace {

constexpr int kMinShift = 14;
/// Levels of bins of a TBI.
constexpr int kTbiLevels = 5;

/// Levels of bins so that the largest one spans every position (SAM specification, section 5.3).
int LevelsFor(const VariantTable& variants) {
  int64_t longest = 0;
  for (const ContigRecord& contig : variants.contigs()) longest = std::max(longest, contig.length);
  for (const VariantRecord& v : variants.variants()) {
    longest = std::max(longest, v.position + static_cast<int64_t>(v.ref.size()));
  }
  int levels = 0;
  for (int64_t span = int64_t{1} << kMinShift; span < longest; span <<= 3) ++levels;
  return levels;
}

void AppendInt32(std::string& bytes, size_t value) {
  for (int shift = 0; shift < 32; shift += 8) bytes.push_back(static_cast<char>(value >> shift));
}

}  // namespace

SiteIndex::SiteIndex(const VariantTable& variants, bool bcf, VariantIndex kind)
    : variants_(variants), bcf_(bcf), kind_(kind) {}

absl::Status SiteIndex::Begin(uint64_t offset) {
  if (bcf_) {
    for (const ContigRecord& contig : variants_.contigs()) {
      contigs_.emplace(contig.name, static_cast<int>(contigs_.size()));
    }
  }
  const int levels = LevelsFor(variants_);
  if (kind_ == VariantIndex::kTbi && levels > kTbiLevels) {
    return absl::InvalidArgumentError(
        "a TBI index holds positions up to 536870912, and there are larger ones; take CSI");
  }
  const bool tbi = kind_ == VariantIndex::kTbi;
  index_.reset(hts_idx_init(static_cast<int>(contigs_.size()), tbi ? HTS_FMT_TBI : HTS_FMT_CSI, offset, kMinShift,
                            tbi ? kTbiLevels : levels));
  return absl::OkStatus();
}

absl::Status SiteIndex::Add(size_t i, uint64_t end) {
  const VariantRecord& v = variants_[i];
  const auto [contig, added] = contigs_.emplace(v.contig, static_cast<int>(contigs_.size()));
  if (added) names_.append(v.contig).push_back('\0');
  const hts_pos_t begin = v.position - 1;
  if (hts_idx_push(index_.get(), contig->second, begin, begin + static_cast<hts_pos_t>(v.ref.size()), end, 1) != 0) {
    return absl::InternalError(absl::StrCat("variant ", v.id, " cannot be indexed"));
  }
  return absl::OkStatus();
}

absl::Status SiteIndex::Save(const std::string& path, uint64_t end) {
  if (hts_idx_finish(index_.get(), end) != 0) return absl::InternalError(absl::StrCat(path, ": cannot be built"));
  if (!bcf_) {
    // The names of contigs stand in the index, after the settings of tabix for VCF.
    std::string meta;
    const tbx_conf_t& conf = tbx_conf_vcf;
    for (const int32_t value : {conf.preset, conf.sc, conf.bc, conf.ec, conf.meta_char, conf.line_skip}) {
      AppendInt32(meta, static_cast<size_t>(value));
    }
    AppendInt32(meta, names_.size());
    meta += names_;
    if (hts_idx_set_meta(index_.get(), static_cast<uint32_t>(meta.size()), reinterpret_cast<uint8_t*>(meta.data()),
                         1) != 0) {
      return absl::ResourceExhaustedError(absl::StrCat(path, ": not enough memory"));
    }
  }
  if (hts_idx_save_as(index_.get(), nullptr, path.c_str(), kind_ == VariantIndex::kTbi ? HTS_FMT_TBI : HTS_FMT_CSI) !=
      0)
    return WriteError(path);
  return absl::OkStatus();
}

}  // namespace genoserve
