#include "core/genotype/variant_table.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "core/base/sha256.h"

namespace genoserve {
namespace {

// VCF positions are 32-bit integers in a BCF (VCF 4.3, section 6.3.1).
constexpr int64_t kMaxPosition = (int64_t{1} << 31) - 1;

std::string FullName(const VariantRecord& v) { return absl::StrCat(v.contig, ":", v.position, ":", v.ref, ":", v.alt); }

bool ParsePosition(absl::string_view text, int64_t& position) {
  return absl::SimpleAtoi(absl::StrReplaceAll(text, {{",", ""}}), &position) && position > 0;
}

std::string ContigNames(const std::vector<ContigRecord>& contigs) {
  return absl::StrJoin(contigs, ", ",
                       [](std::string* out, const ContigRecord& contig) { absl::StrAppend(out, contig.name); });
}

std::string RegionName(const GenomicRegion& region) {
  if (region.start == 0 && region.end == 0) return region.contig;
  return absl::StrCat(region.contig, ":", std::max<int64_t>(region.start, 1), "-",
                      region.end == 0 ? "" : absl::StrCat(region.end));
}

}  // namespace

absl::StatusOr<GenomicRegion> ParseRegion(absl::string_view text) {
  GenomicRegion region;
  const size_t colon = text.rfind(':');
  region.contig = std::string(text.substr(0, colon));
  bool ok = !region.contig.empty();
  if (ok && colon != absl::string_view::npos) {
    const std::pair<absl::string_view, absl::string_view> ends =
        absl::StrSplit(text.substr(colon + 1), absl::MaxSplits('-', 1));
    ok = ParsePosition(ends.first, region.start);
    if (!absl::StrContains(text.substr(colon + 1), '-')) {
      region.end = region.start;
    } else if (!ends.second.empty()) {
      ok = ok && ParsePosition(ends.second, region.end) && region.end >= region.start;
    }
  }
  if (!ok) {
    return absl::InvalidArgumentError(absl::StrFormat(
        "region \"%s\": expected CONTIG, CONTIG:START-END, CONTIG:START- or CONTIG:POSITION, positions from 1", text));
  }
  return region;
}

absl::StatusOr<VariantTable> VariantTable::Create(std::vector<VariantRecord> variants,
                                                  std::vector<ContigRecord> contigs) {
  absl::flat_hash_set<std::string> known;
  for (const ContigRecord& contig : contigs) {
    if (contig.length < 0 || contig.length > kMaxPosition) {
      return absl::InvalidArgumentError(
          absl::StrFormat("contig %s: length %d, expected 0 to %d", contig.name, contig.length, kMaxPosition));
    }
    known.insert(contig.name);
  }
  absl::flat_hash_map<std::string, int> id_uses;
  for (const VariantRecord& v : variants) ++id_uses[v.id];
  absl::flat_hash_set<std::string> blocks;
  absl::flat_hash_set<std::string> names;
  for (size_t i = 0; i < variants.size(); ++i) {
    VariantRecord& v = variants[i];
    const auto place = [&] { return absl::StrFormat("variant %d (%s)", i + 1, FullName(v)); };
    if (v.contig.empty() || v.ref.empty() || v.alt.empty() || v.position < 0) {
      return absl::InvalidArgumentError(
          absl::StrCat(place(), ": has an empty contig or allele, or a negative position"));
    }
    if (v.position > kMaxPosition - static_cast<int64_t>(v.ref.size())) {
      return absl::InvalidArgumentError(absl::StrCat(place(), ": ends after position ", kMaxPosition));
    }
    const bool new_block = i == 0 || variants[i - 1].contig != v.contig;
    if (new_block && !blocks.insert(v.contig).second) {
      return absl::InvalidArgumentError(
          absl::StrCat(place(), ": contig ", v.contig, " comes in two blocks; sort the file"));
    }
    if (!new_block && variants[i - 1].position > v.position) {
      return absl::InvalidArgumentError(
          absl::StrCat(place(), ": comes after position ", variants[i - 1].position, "; sort the file"));
    }
    if (new_block) names.clear();
    if (!names.insert(FullName(v)).second) {
      return absl::InvalidArgumentError(absl::StrCat(place(), ": is there twice"));
    }
    if (v.id.empty() || v.id == "." || id_uses[v.id] > 1) v.id = FullName(v);
    if (known.insert(v.contig).second) contigs.push_back({v.contig, 0});
  }
  VariantTable table;
  table.variants_ = std::move(variants);
  table.contigs_ = std::move(contigs);
  return table;
}

std::string VariantTable::Digest() const {
  Sha256 sha;
  for (const VariantRecord& v : variants_) {
    sha.Update(absl::StrCat(v.contig, "\t", v.position, "\t", v.id, "\t", v.ref));
    sha.Update(absl::StrCat("\t", v.alt, "\n"));
  }
  return ToHex(sha.Finish());
}

absl::StatusOr<std::vector<size_t>> VariantTable::Find(const std::vector<GenomicRegion>& regions) const {
  std::vector<bool> chosen(variants_.size(), regions.empty());
  for (const GenomicRegion& region : regions) {
    if (region.start < 0 || region.end < 0 || (region.end != 0 && region.start > region.end)) {
      return absl::InvalidArgumentError(
          absl::StrFormat("region %s: positions count from 1 and the start is not after the end", RegionName(region)));
    }
    bool any = false;
    for (size_t i = 0; i < variants_.size(); ++i) {
      const VariantRecord& v = variants_[i];
      if (v.contig != region.contig || v.position < region.start || (region.end != 0 && v.position > region.end)) {
        continue;
      }
      chosen[i] = true;
      any = true;
    }
    if (!any) {
      return absl::NotFoundError(absl::StrFormat("region %s: holds no variant of the model; its contigs are %s",
                                                 RegionName(region), ContigNames(contigs_)));
    }
  }
  std::vector<size_t> indices;
  for (size_t i = 0; i < chosen.size(); ++i) {
    if (chosen[i]) indices.push_back(i);
  }
  return indices;
}

VariantTable VariantTable::Select(const std::vector<size_t>& indices) const {
  VariantTable table;
  table.contigs_ = contigs_;
  table.variants_.reserve(indices.size());
  for (const size_t i : indices) table.variants_.push_back(variants_[i]);
  return table;
}

std::string VariantTable::ToSitesVcf() const {
  std::string text = "##fileformat=VCFv4.3\n";
  for (const ContigRecord& contig : contigs_) {
    absl::StrAppend(&text, "##contig=<ID=", contig.name);
    if (contig.length > 0) absl::StrAppend(&text, ",length=", contig.length);
    absl::StrAppend(&text, ">\n");
  }
  absl::StrAppend(&text, "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n");
  for (const VariantRecord& v : variants_) {
    absl::StrAppend(&text, v.contig, "\t", v.position, "\t", v.id, "\t");
    absl::StrAppend(&text, v.ref, "\t", v.alt, "\t.\t.\t.\n");
  }
  return text;
}

absl::StatusOr<VariantTable> VariantTable::FromSitesVcf(absl::string_view text) {
  std::vector<VariantRecord> variants;
  std::vector<ContigRecord> contigs;
  size_t number = 0;
  const auto error = [&number](absl::string_view what) {
    return absl::InvalidArgumentError(absl::StrCat("line ", number, ": ", what));
  };
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    if (line.empty()) continue;
    if (absl::ConsumePrefix(&line, "##contig=<ID=")) {
      if (!absl::ConsumeSuffix(&line, ">")) return error("the contig line does not end with '>'");
      const std::pair<std::string, std::string> parts = absl::StrSplit(line, absl::MaxSplits(",length=", 1));
      ContigRecord contig{parts.first, 0};
      if (!parts.second.empty() && !absl::SimpleAtoi(parts.second, &contig.length))
        return error("the length is not a number");
      contigs.push_back(std::move(contig));
      continue;
    }
    if (line.front() == '#') continue;
    const std::vector<absl::string_view> fields = absl::StrSplit(line, '\t');
    if (fields.size() != 8) return error(absl::StrCat("expected 8 columns, found ", fields.size()));
    VariantRecord v;
    v.contig = std::string(fields[0]);
    if (!absl::SimpleAtoi(fields[1], &v.position)) return error("POS is not a number");
    v.id = std::string(fields[2]);
    v.ref = std::string(fields[3]);
    v.alt = std::string(fields[4]);
    variants.push_back(std::move(v));
  }
  return Create(std::move(variants), std::move(contigs));
}

}  // namespace genoserve
