#include <algorithm>
#include <array>
#include <cstring>
#include <map>

#include "absl/strings/str_cat.h"
#include "core/base/status.h"
#include "core/io/cohort_files.h"

namespace genoserve {
namespace {

/// Bytes of codes, four samples each, that are turned into text or calls at a time.
constexpr size_t kChunk = 4096;

/// What each of the 256 bytes of four two-bit codes becomes in the file: kSize bytes, a quarter of them a sample.
template <size_t kSize>
using ExpansionTable = std::array<std::array<char, kSize>, 256>;

/// The table for `call(code)`, which gives the bytes of one sample.
template <size_t kSize, typename Call>
ExpansionTable<kSize> MakeTable(Call call) {
  ExpansionTable<kSize> table;
  for (unsigned byte = 0; byte < 256; ++byte) {
    for (unsigned i = 0; i < 4; ++i) {
      const std::array<char, kSize / 4> bytes = call((byte >> (2 * i)) & 3);
      std::memcpy(&table[byte][i * bytes.size()], bytes.data(), bytes.size());
    }
  }
  return table;
}

/// Writes the calls of a segment.
template <size_t kSize>
absl::Status WriteCalls(const ExpansionTable<kSize>& table, const VariantSegment& segment, BgzfOutput& output) {
  std::array<char, kChunk * kSize> text;
  size_t left = static_cast<size_t>(segment.samples) * (kSize / 4);
  for (size_t first = 0; first < segment.codes.size(); first += kChunk) {
    const auto codes = segment.codes.subspan(first, std::min(kChunk, segment.codes.size() - first));
    for (size_t i = 0; i < codes.size(); ++i) std::memcpy(&text[i * kSize], table[codes[i]].data(), kSize);
    const size_t size = std::min(left, codes.size() * kSize);  // the last byte may hold fewer than four samples
    GENOSERVE_RETURN_IF_ERROR(output.Write(absl::string_view(text.data(), size)));
    left -= size;
  }
  return absl::OkStatus();
}

/// Writes all records: `begin(variant)` before the calls, `end` after them.
template <size_t kSize, typename Begin>
absl::Status WriteRecords(const CohortDescription& cohort, const ExpansionTable<kSize>& table, Begin begin,
                          absl::string_view end, const SegmentSource& genotypes, BgzfOutput& output, CsiIndex* index) {
  return genotypes([&](const VariantSegment& segment) -> absl::Status {
    if (segment.first_sample == 0) GENOSERVE_RETURN_IF_ERROR(output.Write(begin(segment.variant)));
    GENOSERVE_RETURN_IF_ERROR(WriteCalls(table, segment, output));
    if (segment.first_sample + segment.samples < cohort.sample_count) return absl::OkStatus();
    GENOSERVE_RETURN_IF_ERROR(output.Write(end));
    return index == nullptr ? absl::OkStatus() : index->Add(segment.variant, output.Tell());
  });
}

/// One sample's call as text, after a tab; haplotypes are phased.
std::array<char, 4> TextCall(Packing packing, unsigned code) {
  constexpr std::array<char, 4> kDiploid[4] = {
      {'\t', '0', '/', '0'}, {'\t', '0', '/', '1'}, {'\t', '1', '/', '1'}, {'\t', '.', '/', '.'}};
  constexpr std::array<char, 4> kHaplotypes[4] = {
      {'\t', '0', '|', '0'}, {'\t', '1', '|', '0'}, {'\t', '0', '|', '1'}, {'\t', '1', '|', '1'}};
  return packing == Packing::kDiploid2Bit ? kDiploid[code] : kHaplotypes[code];
}

/// One sample's call as BCF has it: (allele + 1) << 1 for each, 0 = missing; the second with 1 where it is phased.
std::array<char, 2> BinaryCall(Packing packing, unsigned code) {
  constexpr std::array<char, 2> kDiploid[4] = {{2, 2}, {2, 4}, {4, 4}, {0, 0}};
  constexpr std::array<char, 2> kHaplotypes[4] = {{2, 3}, {4, 3}, {2, 5}, {4, 5}};
  return packing == Packing::kDiploid2Bit ? kDiploid[code] : kHaplotypes[code];
}

/// Appends a little-endian integer of kBytes bytes.
template <size_t kBytes>
void AppendInt(std::string& bytes, uint64_t value) {
  for (size_t i = 0; i < kBytes; ++i) bytes.push_back(static_cast<char>(value >> (8 * i)));
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
                      std::unique_ptr<CsiIndex>* index) {
  GENOSERVE_ASSIGN_OR_RETURN(const std::string header, VcfHeader(cohort));
  GENOSERVE_RETURN_IF_ERROR(output.Write(header));
  GENOSERVE_RETURN_IF_ERROR(
      ForEachSampleName(cohort, "\t", "", [&output](absl::string_view names) { return output.Write(names); }));
  GENOSERVE_RETURN_IF_ERROR(output.Write("\n"));
  if (index != nullptr) *index = std::make_unique<CsiIndex>(cohort.variants, false, output.Tell());
  const auto begin = [&cohort](size_t i) {
    const VariantRecord& v = cohort.variants[i];
    return absl::StrCat(absl::StrCat(v.contig, "\t", v.position, "\t", v.id, "\t"),
                        absl::StrCat(v.ref, "\t", v.alt, "\t.\tPASS\t.\tGT"));
  };
  const auto table = MakeTable<16>([&cohort](unsigned code) { return TextCall(cohort.packing, code); });
  return WriteRecords(cohort, table, begin, "\n", genotypes, output, index == nullptr ? nullptr : index->get());
}

absl::Status WriteBcf(const CohortDescription& cohort, const SegmentSource& genotypes, BgzfOutput& output,
                      std::unique_ptr<CsiIndex>* index) {
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
  if (index != nullptr) *index = std::make_unique<CsiIndex>(cohort.variants, true, output.Tell());
  std::map<std::string, size_t> contigs;
  for (const ContigRecord& contig : cohort.variants.contigs()) contigs.emplace(contig.name, contigs.size());
  const auto begin = [&](size_t i) {
    const VariantRecord& v = cohort.variants[i];
    return BcfRecordStart(v, contigs.at(v.contig), cohort.sample_count);
  };
  const auto table = MakeTable<8>([&cohort](unsigned code) { return BinaryCall(cohort.packing, code); });
  return WriteRecords(cohort, table, begin, "", genotypes, output, index == nullptr ? nullptr : index->get());
}

}  // namespace genoserve
