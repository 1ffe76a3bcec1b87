#include <array>
#include <map>

#include "absl/strings/str_cat.h"
#include "core/base/status.h"
#include "core/io/call_table.h"
#include "core/io/cohort_files.h"
#include "core/io/ploidy.h"

namespace genoserve {
namespace {

/// One sample's call as text, after a tab; haplotypes are phased.
std::array<char, 4> TextCall(Packing packing, unsigned code) {
  const std::array<int, 2> alleles = AllelesOf(packing, code);
  const auto text = [](int allele) { return allele < 0 ? '.' : static_cast<char>('0' + allele); };
  return {'\t', text(alleles[0]), packing == Packing::kHaplotype1Bit ? '|' : '/', text(alleles[1])};
}

/// One sample's call as BCF has it: (allele + 1) << 1 for each, 0 = missing; the second with 1 where it is phased.
std::array<char, 2> BinaryCall(Packing packing, unsigned code) {
  const std::array<int, 2> alleles = AllelesOf(packing, code);
  const int phased = packing == Packing::kHaplotype1Bit ? 1 : 0;
  return {static_cast<char>((alleles[0] + 1) << 1), static_cast<char>((alleles[1] + 1) << 1 | phased)};
}

/// What stands in a BCF for the second allele of a haploid call.
constexpr char kEndOfCall = static_cast<char>(0x81);

/// Makes haploid calls of those of `calls`, as TextCall has them, that are to be.
std::string HaploidText(const Ploidy& ploidy, const VariantSegment& segment, int64_t first, absl::string_view calls) {
  std::string text;
  for (size_t at = 0; at < calls.size(); at += 4) {
    const bool haploid =
        calls[at + 1] == calls[at + 3] && ploidy.IsHaploid(segment.variant, first + static_cast<int64_t>(at / 4));
    text.append(calls.data() + at, haploid ? 2 : 4);
  }
  return text;
}

/// The same for BinaryCall.
std::string HaploidBinary(const Ploidy& ploidy, const VariantSegment& segment, int64_t first, absl::string_view calls) {
  std::string bytes(calls);
  for (size_t at = 0; at < bytes.size(); at += 2) {
    const bool same = (bytes[at] | 1) == (bytes[at + 1] | 1);
    if (same && ploidy.IsHaploid(segment.variant, first + static_cast<int64_t>(at / 2))) bytes[at + 1] = kEndOfCall;
  }
  return bytes;
}

/// Writes all records: `begin(variant)` before the calls, which `table` makes and `haploid` changes, `end` after them.
template <size_t kSize, typename Begin, typename Haploid>
absl::Status WriteRecords(const CohortDescription& cohort, const CallTable<kSize>& table, Begin begin, Haploid haploid,
                          absl::string_view end, const SegmentSource& genotypes, BgzfOutput& output, SiteIndex* index) {
  const Ploidy ploidy(cohort);
  return genotypes([&](const VariantSegment& segment) -> absl::Status {
    if (segment.first_sample == 0) GENOSERVE_RETURN_IF_ERROR(output.Write(begin(segment.variant)));
    const bool some_haploid = ploidy.MayBeHaploid(segment.variant);
    int64_t sample = segment.first_sample;
    GENOSERVE_RETURN_IF_ERROR(table.ForEach(segment, [&](absl::string_view calls) {
      if (!some_haploid) return output.Write(calls);
      const int64_t first = sample;
      sample += static_cast<int64_t>(calls.size() / (kSize / 4));
      return output.Write(haploid(ploidy, segment, first, calls));
    }));
    if (segment.first_sample + segment.samples < cohort.sample_count) return absl::OkStatus();
    GENOSERVE_RETURN_IF_ERROR(output.Write(end));
    return index == nullptr ? absl::OkStatus() : index->Add(segment.variant, output.Tell());
  });
}

// Types of BCF values (VCF 4.3 specification, section 6.3.3).
constexpr uint64_t kInt8 = 1;
constexpr uint64_t kInt32 = 3;
constexpr uint64_t kText = 7;

void AppendTypedText(std::string& bytes, absl::string_view text) {
  if (text.size() < 15) {
    AppendInt<1>(bytes, text.size() << 4 | kText);
  } else {
    AppendInt<1>(bytes, 15 << 4 | kText);
    AppendInt<1>(bytes, 1 << 4 | kInt32);
    AppendInt<4>(bytes, text.size());
  }
  absl::StrAppend(&bytes, text);
}

/// A BCF record up to the calls. `contig` is its number in the header, in which PASS is string 0 and GT string 1.
std::string BcfRecordStart(const VariantRecord& v, size_t contig, int64_t samples) {
  constexpr uint32_t kMissingFloat = 0x7F800001;
  std::string shared;
  AppendInt<4>(shared, contig);
  AppendInt<4>(shared, static_cast<uint64_t>(v.position - 1));
  AppendInt<4>(shared, v.ref.size());
  AppendInt<4>(shared, kMissingFloat);                             // QUAL
  AppendInt<4>(shared, 2 << 16);                                   // two alleles, no INFO
  AppendInt<4>(shared, 1 << 24 | static_cast<uint64_t>(samples));  // one FORMAT field
  AppendTypedText(shared, v.id);
  AppendTypedText(shared, v.ref);
  AppendTypedText(shared, v.alt);
  AppendInt<1>(shared, 1 << 4 | kInt8);  // FILTER, one value: PASS
  AppendInt<1>(shared, 0);
  std::string calls;
  AppendInt<1>(calls, 1 << 4 | kInt8);  // the key: GT
  AppendInt<1>(calls, 1);
  AppendInt<1>(calls, 2 << 4 | kInt8);  // two values a sample
  std::string record;
  AppendInt<4>(record, shared.size());
  AppendInt<4>(record, calls.size() + 2 * static_cast<size_t>(samples));
  return absl::StrCat(record, shared, calls);
}

}  // namespace

absl::Status WriteVcf(const CohortDescription& cohort, const SegmentSource& genotypes, BgzfOutput& output,
                      SiteIndex* index) {
  GENOSERVE_ASSIGN_OR_RETURN(const std::string header, VcfHeader(cohort));
  GENOSERVE_RETURN_IF_ERROR(output.Write(header));
  GENOSERVE_RETURN_IF_ERROR(
      ForEachSampleName(cohort, "\t", "", [&output](absl::string_view names) { return output.Write(names); }));
  GENOSERVE_RETURN_IF_ERROR(output.Write("\n"));
  if (index != nullptr) GENOSERVE_RETURN_IF_ERROR(index->Begin(output.Tell()));
  const auto begin = [&cohort](size_t i) {
    const VariantRecord& v = cohort.variants[i];
    return absl::StrCat(absl::StrCat(v.contig, "\t", v.position, "\t", v.id, "\t"),
                        absl::StrCat(v.ref, "\t", v.alt, "\t.\tPASS\t.\tGT"));
  };
  const CallTable<16> table([&cohort](unsigned code) { return TextCall(cohort.packing, code); });
  return WriteRecords(cohort, table, begin, &HaploidText, "\n", genotypes, output, index);
}

absl::Status WriteBcf(const CohortDescription& cohort, const SegmentSource& genotypes, BgzfOutput& output,
                      SiteIndex* index) {
  GENOSERVE_ASSIGN_OR_RETURN(const std::string header, VcfHeader(cohort));
  // The length of the header comes first; a newline and a NUL end it.
  size_t names = 0;
  GENOSERVE_RETURN_IF_ERROR(ForEachSampleName(cohort, "\t", "", [&names](absl::string_view text) {
    names += text.size();
    return absl::OkStatus();
  }));
  std::string start = "BCF\2\2";
  AppendInt<4>(start, header.size() + names + 2);
  GENOSERVE_RETURN_IF_ERROR(output.Write(absl::StrCat(start, header)));
  GENOSERVE_RETURN_IF_ERROR(
      ForEachSampleName(cohort, "\t", "", [&output](absl::string_view text) { return output.Write(text); }));
  GENOSERVE_RETURN_IF_ERROR(output.Write(absl::string_view("\n\0", 2)));
  if (index != nullptr) GENOSERVE_RETURN_IF_ERROR(index->Begin(output.Tell()));
  std::map<std::string, size_t> contigs;
  for (const ContigRecord& contig : cohort.variants.contigs()) contigs.emplace(contig.name, contigs.size());
  const auto begin = [&](size_t i) {
    const VariantRecord& v = cohort.variants[i];
    return BcfRecordStart(v, contigs.at(v.contig), cohort.sample_count);
  };
  const CallTable<8> table([&cohort](unsigned code) { return BinaryCall(cohort.packing, code); });
  return WriteRecords(cohort, table, begin, &HaploidBinary, "", genotypes, output, index);
}

}  // namespace genoserve
