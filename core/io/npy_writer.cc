// NumPy's .npy (format version 1.0) with tables beside it, and what files of samples need besides.
#include <algorithm>
#include <array>
#include <cstring>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/status.h"
#include "core/io/cohort_files.h"
#include "core/io/row_layout.h"
#include "core/io/sample_columns.h"

namespace genoserve {
namespace {

/// What eight bits become: one int8 a genotype or allele, -1 = missing.
template <size_t kPerByte>
std::array<std::array<uint8_t, kPerByte>, 256> MakeTable() {
  constexpr unsigned kBits = 8 / kPerByte;
  std::array<std::array<uint8_t, kPerByte>, 256> table;
  for (unsigned byte = 0; byte < 256; ++byte) {
    for (unsigned i = 0; i < kPerByte; ++i) {
      const unsigned code = (byte >> (i * kBits)) & ((1U << kBits) - 1);
      table[byte][i] = code == kMissingGenotype ? 0xFF : static_cast<uint8_t>(code);
    }
  }
  return table;
}

template <size_t kPerByte>
void Expand(size_t variants, std::span<const uint8_t> rows, std::span<uint8_t> values) {
  static const auto table = MakeTable<kPerByte>();
  const size_t row_bytes = (variants + kPerByte - 1) / kPerByte;
  const size_t whole = variants / kPerByte;
  uint8_t* to = values.data();
  for (const uint8_t* from = rows.data(); from < rows.data() + rows.size(); from += row_bytes, to += variants) {
    for (size_t i = 0; i < whole; ++i) std::memcpy(to + i * kPerByte, table[from[i]].data(), kPerByte);
    if (whole < row_bytes) std::memcpy(to + whole * kPerByte, table[from[whole]].data(), variants % kPerByte);
  }
}

}  // namespace

RowLayout NpyLayout(const CohortDescription& cohort) {
  const size_t variants = cohort.variants.size();
  const size_t rows = static_cast<size_t>(cohort.sample_count) * RowsPerSample(cohort.packing);
  std::string header =
      absl::StrCat("{'descr': '|i1', 'fortran_order': False, 'shape': (", rows, ", ", variants, "), }");
  // With the 10 bytes before it and a newline it takes a multiple of 64 bytes.
  header.resize((header.size() + 11 + 63) / 64 * 64 - 11, ' ');
  header += '\n';
  std::string head("\x93NUMPY\x01\x00", 8);
  AppendInt<2>(head, header.size());
  const auto expand = cohort.packing == Packing::kHaplotype1Bit ? &Expand<8> : &Expand<4>;
  return {head + header, RowsPerSample(cohort.packing) * variants,
          [variants, expand](std::span<const uint8_t> packed, std::span<uint8_t> bytes) {
            expand(variants, packed, bytes);
          }};
}

absl::Status WriteNpy(const CohortDescription& cohort, const RowSource& genotypes, PlainOutput& output) {
  const RowLayout layout = NpyLayout(cohort);
  const size_t packed = RowsPerSample(cohort.packing) * RowBytes(cohort.packing, cohort.variants.size());
  GENOSERVE_RETURN_IF_ERROR(output.Write(layout.head));
  std::vector<uint8_t> bytes;
  return genotypes([&](int64_t /*first*/, std::span<const uint8_t> rows) -> absl::Status {
    for (; !rows.empty(); rows = rows.subspan(packed)) {
      bytes.resize(layout.sample_bytes);
      layout.expand(rows.first(packed), bytes);
      GENOSERVE_RETURN_IF_ERROR(output.Write(AsText(bytes)));
    }
    return absl::OkStatus();
  });
}

absl::Status WriteVariantTable(const CohortDescription& cohort, PlainOutput& output) {
  GENOSERVE_RETURN_IF_ERROR(output.Write("contig\tposition\tid\tref\talt\n"));
  for (const VariantRecord& v : cohort.variants.variants()) {
    GENOSERVE_RETURN_IF_ERROR(output.Write(absl::StrCat(absl::StrCat(v.contig, "\t", v.position, "\t", v.id, "\t"),
                                                        absl::StrCat(v.ref, "\t", v.alt, "\n"))));
  }
  return absl::OkStatus();
}

absl::Status WriteSampleTable(const CohortDescription& cohort, PlainOutput& output) {
  GENOSERVE_ASSIGN_OR_RETURN(const auto table, SampleColumns::Open(cohort));
  std::string line = "sample\tsex";
  for (const std::string& name : table->names()) absl::StrAppend(&line, "\t", name);
  GENOSERVE_RETURN_IF_ERROR(output.Write(absl::StrCat(line, "\n")));
  for (int64_t i = 0; i < cohort.sample_count; ++i) {
    GENOSERVE_RETURN_IF_ERROR(table->Next(i));
    line = absl::StrCat(table->sample(), "\t", SexOf(cohort, i));
    for (const absl::string_view value : table->values()) absl::StrAppend(&line, "\t", value);
    GENOSERVE_RETURN_IF_ERROR(output.Write(absl::StrCat(line, "\n")));
  }
  return absl::OkStatus();
}

}  // namespace genoserve
