#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/status.h"
#include "core/io/format_readers.h"
#include "core/io/packed_calls.h"
#include "core/io/sample_list.h"
#include "core/io/site_file.h"
#include "core/io/window_file.h"

namespace genoserve {
namespace {

constexpr size_t kMagicBytes = 3;

/// Four genotypes of a .bed to our codes: 00 two A1, 01 missing, 10 one of each, 11 two A2; A1 is ALT.
constexpr std::array<uint8_t, 256> kCodesOfBedByte = [] {
  constexpr unsigned kCodes[4] = {2, 3, 1, 0};
  std::array<uint8_t, 256> table{};
  for (unsigned byte = 0; byte < 256; ++byte) {
    unsigned codes = 0;
    for (unsigned i = 0; i < 8; i += 2) codes |= kCodes[(byte >> i) & 3] << i;
    table[byte] = static_cast<uint8_t>(codes);
  }
  return table;
}();

class BedReader final : public OpenedReader {
 public:
  absl::Status Open(const std::string& prefix) {
    GENOSERVE_ASSIGN_OR_RETURN(SampleList list, ReadFam(absl::StrCat(prefix, ".fam")));
    samples_ = std::move(list.names);
    sexes_ = std::move(list.sexes);
    variants_file_ = absl::StrCat(prefix, ".bim");
    GENOSERVE_ASSIGN_OR_RETURN(variant_count_, CountLines(variants_file_));
    GENOSERVE_ASSIGN_OR_RETURN(sites_, SiteFile::OpenBim(variants_file_));
    GENOSERVE_ASSIGN_OR_RETURN(bed_, WindowFile::Open(absl::StrCat(prefix, ".bed")));
    return CheckMagic();
  }

  const VariantRecord& variant() const override { return sites_->variant(); }

  std::string Place() const override {
    return absl::StrCat(bed_->path(), ": variant ", next_, " (", variant().id, ")");
  }

  absl::Status ReadCalls(VariantCalls* calls) override {
    const size_t bytes = CodeBytes(samples_.size());
    const size_t expected = kMagicBytes + *variant_count_ * bytes;
    if (bed_->size() != expected) {
      return absl::DataLossError(absl::StrFormat("%s: has %d bytes, expected %d for %d variants and %d samples",
                                                 bed_->path(), bed_->size(), expected, *variant_count_,
                                                 samples_.size()));
    }
    GENOSERVE_ASSIGN_OR_RETURN(const auto column, bed_->Read(kMagicBytes + (next_ - 1) * bytes, bytes));
    ResetCalls(samples_.size(), calls);
    for (size_t i = 0; i < bytes; ++i) calls->codes[i] = kCodesOfBedByte[column[i]];
    ClearPadding(calls->codes, samples_.size());
    calls->unphased = true;
    return absl::OkStatus();
  }

 private:
  absl::StatusOr<bool> Advance() override {
    GENOSERVE_ASSIGN_OR_RETURN(const bool more, sites_->Next());
    if (more) ++next_;
    return more;
  }

  absl::Status CheckMagic() {
    constexpr char kAdvice[] = ": is not a PLINK 1 .bed (it does not begin with the bytes 6c 1b)";
    if (bed_->size() < kMagicBytes) return absl::DataLossError(absl::StrCat(bed_->path(), kAdvice));
    GENOSERVE_ASSIGN_OR_RETURN(const auto magic, bed_->Read(0, kMagicBytes));
    if (magic[0] != 0x6c || magic[1] != 0x1b) return absl::DataLossError(absl::StrCat(bed_->path(), kAdvice));
    if (magic[2] != 1) {
      return absl::InvalidArgumentError(
          absl::StrFormat("%s: its third byte is %02x, expected 01 (variant-major); rewrite it with \"plink1.9 "
                          "--make-bed\"",
                          bed_->path(), magic[2]));
    }
    return absl::OkStatus();
  }

  std::unique_ptr<SiteFile> sites_;
  std::unique_ptr<WindowFile> bed_;
  size_t next_ = 0;  // variants that Next has given
};

}  // namespace

absl::StatusOr<std::unique_ptr<VariantReader>> OpenBedReader(const std::string& prefix) {
  auto reader = std::make_unique<BedReader>();
  GENOSERVE_RETURN_IF_ERROR(reader->Open(prefix));
  return reader;
}

}  // namespace genoserve
