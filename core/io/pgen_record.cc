#include "core/io/pgen_record.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status.h"
#include "core/io/packed_calls.h"

namespace genoserve {
namespace {

/// Samples of a group of a difflist, of which the first is stored whole.
constexpr size_t kGroup = 64;

absl::Status Broken(absl::string_view what) {
  return absl::DataLossError(absl::StrCat("the record is broken: ", what));
}

/// Takes a record's bytes one piece after another.
class Bytes {
 public:
  explicit Bytes(std::span<const uint8_t> record) : record_(record) {}

  size_t used() const { return used_; }

  absl::StatusOr<std::span<const uint8_t>> Take(size_t count) {
    if (count > record_.size() - used_) return Broken("it ends too early");
    used_ += count;
    return record_.subspan(used_ - count, count);
  }

  /// A little-endian number of `count` bytes, at most 4.
  absl::StatusOr<uint32_t> Number(size_t count) {
    GENOSERVE_ASSIGN_OR_RETURN(const auto bytes, Take(count));
    uint32_t number = 0;
    for (size_t i = 0; i < count; ++i) number |= uint32_t{bytes[i]} << (8 * i);
    return number;
  }

  /// A number in base 128, the lowest digit first.
  absl::StatusOr<uint32_t> Varint() {
    uint64_t number = 0;
    for (unsigned shift = 0; shift < 35; shift += 7) {
      GENOSERVE_ASSIGN_OR_RETURN(const uint32_t byte, Number(1));
      number |= uint64_t{byte & 127} << shift;
      if (byte < 128) {
        if (number > UINT32_MAX) break;
        return static_cast<uint32_t>(number);
      }
    }
    return Broken("a number is too large");
  }

 private:
  std::span<const uint8_t> record_;
  size_t used_ = 0;
};

/// Bytes in which the number of a sample is stored: as many as the number of samples needs, which for 2^8 and 2^16
/// samples is what plink2 writes, and one more than the specification says.
size_t SampleBytes(size_t samples) {
  return samples < size_t{1} << 8 ? 1 : samples < size_t{1} << 16 ? 2 : samples < size_t{1} << 24 ? 3 : 4;
}

/// Calls `take(sample, code)` for the samples of a difflist, which ascend; without codes they are 0.
template <typename Take>
absl::Status ReadDifflist(Bytes& bytes, size_t samples, bool with_codes, Take take) {
  GENOSERVE_ASSIGN_OR_RETURN(const size_t count, bytes.Varint());
  if (count == 0) return absl::OkStatus();
  if (count > samples) return Broken("a list has more samples than there are");
  const size_t groups = (count + kGroup - 1) / kGroup;
  const size_t width = SampleBytes(samples);
  GENOSERVE_ASSIGN_OR_RETURN(const auto firsts, bytes.Take(groups * width));
  GENOSERVE_RETURN_IF_ERROR(bytes.Take(groups - 1).status());  // sizes of the groups, for random access
  std::span<const uint8_t> codes;
  if (with_codes) {
    GENOSERVE_ASSIGN_OR_RETURN(codes, bytes.Take(CodeBytes(count)));
  }
  uint64_t sample = 0;
  for (size_t i = 0; i < count; ++i) {
    uint64_t next = 0;
    if (i % kGroup == 0) {
      for (size_t b = 0; b < width; ++b) next |= uint64_t{firsts[i / kGroup * width + b]} << (8 * b);
    } else {
      GENOSERVE_ASSIGN_OR_RETURN(const uint32_t step, bytes.Varint());
      next = sample + step;
    }
    if (next >= samples || (i > 0 && next <= sample)) return Broken("the samples of a list do not ascend");
    sample = next;
    take(static_cast<size_t>(sample), with_codes ? CodeOf(codes, i) : 0U);
  }
  return absl::OkStatus();
}

/// Sets codes to other values.
absl::Status PatchCodes(Bytes& bytes, size_t samples, std::vector<uint8_t>* codes) {
  return ReadDifflist(bytes, samples, true, [codes](size_t sample, unsigned code) {
    const unsigned shift = 2 * (sample % 4);
    uint8_t& byte = (*codes)[sample / 4];
    byte = static_cast<uint8_t>((byte & ~(3U << shift)) | code << shift);
  });
}

/// Swaps the codes 0 and 2.
void Invert(std::vector<uint8_t>* codes) {
  for (uint8_t& byte : *codes) byte = static_cast<uint8_t>(byte ^ ((~byte & 0x55U) << 1));
}

/// Two commonest codes, a bit a sample that chooses among them, and a list of the others.
absl::Status ReadOneBitTrack(Bytes& bytes, size_t samples, std::vector<uint8_t>* codes) {
  GENOSERVE_ASSIGN_OR_RETURN(const uint32_t both, bytes.Number(1));
  const unsigned low = both >> 2;
  const unsigned high = low + (both & 3U);
  if ((both & 3U) == 0 || high > 3) return Broken("two commonest genotypes are none of the pairs that there are");
  GENOSERVE_ASSIGN_OR_RETURN(const auto bits, bytes.Take(BitBytes(samples)));
  codes->resize(CodeBytes(samples));
  SpreadBits(bits, low, high, *codes);
  ClearPadding(*codes, samples);
  return PatchCodes(bytes, samples, codes);
}

/// Which samples of the category, those with `code`, are in a set that a bit for each of them or a list tells.
absl::Status ReadPatchedSamples(Bytes& bytes, unsigned format, unsigned code, std::span<const uint8_t> codes,
                                size_t samples, std::vector<uint32_t>* patched) {
  patched->clear();
  if (format == 15) return absl::OkStatus();
  if (format == 1) {
    return ReadDifflist(bytes, samples, false,
                        [patched](size_t sample, unsigned) { patched->push_back(static_cast<uint32_t>(sample)); });
  }
  if (format != 0) return Broken("a patch of alleles has an unknown form");
  GENOSERVE_ASSIGN_OR_RETURN(const auto bits, bytes.Take(BitBytes(CountCodes(codes, samples).of[code])));
  size_t j = 0;
  for (size_t i = 0; i < samples; ++i) {
    if (CodeOf(codes, i) == code && BitOf(bits, j++)) patched->push_back(static_cast<uint32_t>(i));
  }
  return absl::OkStatus();
}

/// A packed array of numbers, each of `width` bits, which divide 8 or are whole bytes.
uint32_t NumberAt(std::span<const uint8_t> bytes, size_t width, size_t i) {
  if (width < 8) return (bytes[i * width / 8] >> (i * width % 8)) & ((1U << width) - 1);
  uint32_t number = 0;
  for (size_t b = 0; b < width / 8; ++b) number |= uint32_t{bytes[i * (width / 8) + b]} << (8 * b);
  return number;
}

/// Bits of an allele of a REF/ALT call, and of each allele of an ALT/ALT call, among so many ALT alleles.
size_t WidthOfOne(size_t alts) {
  return alts <= 2 ? 0 : alts == 3 ? 1 : alts <= 5 ? 2 : alts <= 17 ? 4 : alts <= 257 ? 8 : alts <= 65537 ? 16 : 24;
}
size_t WidthOfTwo(size_t alts) {
  return alts <= 2 ? 1 : alts <= 4 ? 2 : alts <= 16 ? 4 : alts <= 256 ? 8 : alts <= 65536 ? 16 : 24;
}

/// The alleles of calls that have other ALT alleles than the first.
absl::Status ReadAlleles(Bytes& bytes, size_t samples, size_t alts, PgenCalls* calls) {
  if (alts < 2) return Broken("it has calls of several ALT alleles, its variant has one");
  calls->alleles.assign(2 * samples, 0);
  for (size_t i = 0; i < samples; ++i) {
    const unsigned code = CodeOf(calls->codes, i);
    calls->alleles[2 * i] = code == 2 ? 1 : 0;
    calls->alleles[2 * i + 1] = code == 1 || code == 2 ? 1 : 0;
  }
  GENOSERVE_ASSIGN_OR_RETURN(const uint32_t formats, bytes.Number(1));
  std::vector<uint32_t> patched;
  GENOSERVE_RETURN_IF_ERROR(ReadPatchedSamples(bytes, formats & 15U, 1, calls->codes, samples, &patched));
  size_t width = WidthOfOne(alts);
  GENOSERVE_ASSIGN_OR_RETURN(std::span<const uint8_t> values, bytes.Take((patched.size() * width + 7) / 8));
  for (size_t k = 0; k < patched.size(); ++k) {
    const uint32_t allele = 2 + (width == 0 ? 0 : NumberAt(values, width, k));
    if (CodeOf(calls->codes, patched[k]) != 1 || allele > alts) return Broken("a REF/ALT call names no allele");
    calls->alleles[2 * size_t{patched[k]} + 1] = allele;
  }
  GENOSERVE_RETURN_IF_ERROR(ReadPatchedSamples(bytes, formats >> 4, 2, calls->codes, samples, &patched));
  width = WidthOfTwo(alts);
  // With two ALT alleles one bit tells 2/2 from 1/2.
  const size_t numbers = width == 1 ? 1 : 2;
  GENOSERVE_ASSIGN_OR_RETURN(values, bytes.Take((patched.size() * numbers * width + 7) / 8));
  for (size_t k = 0; k < patched.size(); ++k) {
    const uint32_t first = 1 + NumberAt(values, width, numbers * k);
    const uint32_t second = width == 1 ? 2 : 1 + NumberAt(values, width, 2 * k + 1);
    if (CodeOf(calls->codes, patched[k]) != 2 || first > second || second > alts) {
      return Broken("an ALT/ALT call names no alleles");
    }
    calls->alleles[2 * size_t{patched[k]}] = first;
    calls->alleles[2 * size_t{patched[k]} + 1] = second;
  }
  return absl::OkStatus();
}

bool IsHeterozygous(const PgenCalls& calls, size_t i) {
  return calls.alleles.empty() ? CodeOf(calls.codes, i) == 1 : calls.alleles[2 * i] != calls.alleles[2 * i + 1];
}

/// Which heterozygous calls have a phase, and of which the first allele is the greater.
absl::Status ReadPhase(Bytes& bytes, size_t samples, PgenCalls* calls) {
  std::vector<size_t> hets;
  for (size_t i = 0; i < samples; ++i) {
    if (IsHeterozygous(*calls, i)) hets.push_back(i);
  }
  const size_t first_bytes = BitBytes(1 + hets.size());
  GENOSERVE_ASSIGN_OR_RETURN(std::span<const uint8_t> bits, bytes.Take(first_bytes));
  calls->phased.assign(BitBytes(samples), 0);
  calls->swapped.assign(BitBytes(samples), 0);
  const bool some = BitOf(bits, 0);
  if (some) {
    std::vector<size_t> phased;
    for (size_t h = 0; h < hets.size(); ++h) {
      if (BitOf(bits, 1 + h)) phased.push_back(hets[h]);
    }
    calls->any_unphased = phased.size() < hets.size();
    hets = std::move(phased);
    GENOSERVE_ASSIGN_OR_RETURN(bits, bytes.Take(BitBytes(hets.size())));
  }
  calls->any_phased = !hets.empty();
  for (size_t h = 0; h < hets.size(); ++h) {
    PutBit(calls->phased, hets[h]);
    if (BitOf(bits, h + (some ? 0 : 1))) PutBit(calls->swapped, hets[h]);
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status DecodePgenTrack(std::span<const uint8_t> record, uint8_t type, size_t samples,
                             std::span<const uint8_t> base, std::vector<uint8_t>* codes, size_t* used) {
  Bytes bytes(record);
  const unsigned track = type & kPgenTrackMask;
  switch (track) {
    case 0: {
      GENOSERVE_ASSIGN_OR_RETURN(const auto stored, bytes.Take(CodeBytes(samples)));
      codes->assign(stored.begin(), stored.end());
      ClearPadding(*codes, samples);
      break;
    }
    case 1:
      GENOSERVE_RETURN_IF_ERROR(ReadOneBitTrack(bytes, samples, codes));
      break;
    case 2:
    case 3:
      if (base.size() != CodeBytes(samples)) return Broken("it differs from a record that is not there");
      codes->assign(base.begin(), base.end());
      GENOSERVE_RETURN_IF_ERROR(PatchCodes(bytes, samples, codes));
      if (track == 3) {
        // As plink2 writes them, the codes of the list are from before the inversion too.
        Invert(codes);
        ClearPadding(*codes, samples);
      }
      break;
    case 5:
      return Broken("its type is reserved");
    default:
      // All samples have one code, but those of the list.
      codes->assign(CodeBytes(samples), static_cast<uint8_t>((track - 4) * 0x55U));
      ClearPadding(*codes, samples);
      GENOSERVE_RETURN_IF_ERROR(PatchCodes(bytes, samples, codes));
  }
  *used = bytes.used();
  return absl::OkStatus();
}

absl::Status DecodePgenRecord(std::span<const uint8_t> record, uint8_t type, size_t samples, size_t alts,
                              std::span<const uint8_t> base, PgenCalls* calls) {
  calls->phased.clear();
  calls->swapped.clear();
  calls->alleles.clear();
  calls->any_phased = false;
  calls->any_unphased = false;
  size_t used = 0;
  GENOSERVE_RETURN_IF_ERROR(DecodePgenTrack(record, type, samples, base, &calls->codes, &used));
  Bytes bytes(record.subspan(used));
  if ((type & kPgenMultiAllelic) != 0) GENOSERVE_RETURN_IF_ERROR(ReadAlleles(bytes, samples, alts, calls));
  if ((type & kPgenPhase) != 0) return ReadPhase(bytes, samples, calls);
  calls->any_unphased = CountCodes(calls->codes, samples).of[1] > 0;
  for (size_t i = 0; !calls->alleles.empty() && i < samples; ++i) calls->any_unphased |= IsHeterozygous(*calls, i);
  return absl::OkStatus();
}

}  // namespace genoserve
