#include "core/io/site_file.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "core/base/status.h"

namespace genoserve {
namespace {

class BimFile final : public SiteFile {
 public:
  explicit BimFile(std::unique_ptr<LineReader> lines) : SiteFile(std::move(lines)) {}

  absl::StatusOr<bool> Next() override {
    GENOSERVE_ASSIGN_OR_RETURN(const bool more, lines_->Next());
    if (!more) {
      if (lines_->number() == 0) return absl::InvalidArgumentError(absl::StrCat(path(), ": is empty"));
      return false;
    }
    const std::vector<absl::string_view> words = lines_->Words();
    if (words.size() != 6) {
      return Error(absl::StrFormat("expected 6 columns (chromosome id cM position A1 A2), found %d", words.size()));
    }
    GENOSERVE_RETURN_IF_ERROR(ReadPosition(words[3]));
    for (const size_t i : {4, 5}) {
      if (words[i] == "0" || words[i] == ".") {
        return Error(absl::StrCat("an allele is \"", words[i], "\"; remove variants with one allele only"));
      }
    }
    if (words[4] == words[5]) return Error("A1 and A2 are the same allele");
    variant_.contig = std::string(words[0]);
    variant_.id = std::string(words[1]);
    variant_.ref = std::string(words[5]);
    variant_.alt = std::string(words[4]);
    alts_ = {variant_.alt};
    return true;
  }
};

class PvarFile final : public SiteFile {
 public:
  explicit PvarFile(std::unique_ptr<LineReader> lines) : SiteFile(std::move(lines)) {}

  /// Reads the header, and the first line of the body ahead.
  absl::Status Open() {
    while (true) {
      GENOSERVE_ASSIGN_OR_RETURN(ahead_, lines_->Next());
      if (!ahead_) return absl::InvalidArgumentError(absl::StrCat(path(), ": has no variants"));
      if (absl::StartsWith(lines_->line(), "##")) {
        TakeContig(lines_->line());
        continue;
      }
      const std::vector<absl::string_view> words = lines_->Words();
      if (words.empty() || words[0] != "#CHROM") break;
      GENOSERVE_RETURN_IF_ERROR(TakeHeader(words));
    }
    if (columns_ != 0) return absl::OkStatus();
    const size_t count = lines_->Words().size();
    if (count < 5) return Error("expected a header that begins with #CHROM, or the columns of a .bim");
    const std::vector<absl::string_view> bim = {"#CHROM", "ID", "CM", "POS", "ALT", "REF"};
    const std::vector<absl::string_view> short_bim = {"#CHROM", "ID", "POS", "ALT", "REF"};
    return TakeHeader(count == 5 ? short_bim : bim);
  }

  absl::StatusOr<bool> Next() override {
    if (!std::exchange(ahead_, false)) {
      GENOSERVE_ASSIGN_OR_RETURN(const bool more, lines_->Next());
      if (!more) return false;
    }
    const std::vector<absl::string_view> words = lines_->Words();
    if (words.size() < columns_) {
      return Error(absl::StrFormat("expected %d columns, found %d", columns_, words.size()));
    }
    variant_.contig = std::string(words[0]);
    variant_.id = id_ == kNoColumn ? "." : std::string(words[id_]);
    GENOSERVE_RETURN_IF_ERROR(ReadPosition(words[position_]));
    GENOSERVE_RETURN_IF_ERROR(TakeAlleles(words[ref_], words[alt_]));
    return true;
  }

 private:
  static constexpr size_t kNoColumn = static_cast<size_t>(-1);

  absl::Status TakeHeader(const std::vector<absl::string_view>& names) {
    const auto column = [&names](absl::string_view name) {
      const auto found = std::find(names.begin(), names.end(), name);
      return found == names.end() ? kNoColumn : static_cast<size_t>(found - names.begin());
    };
    columns_ = std::min(names.size(), column("FORMAT"));
    position_ = column("POS");
    id_ = column("ID");
    ref_ = column("REF");
    alt_ = column("ALT");
    for (const size_t needed : {position_, ref_, alt_}) {
      if (needed >= columns_) return Error("the header lacks one of the columns POS, REF and ALT");
    }
    return absl::OkStatus();
  }

  void TakeContig(absl::string_view line) {
    if (!absl::ConsumePrefix(&line, "##contig=<") || !absl::ConsumeSuffix(&line, ">")) return;
    ContigRecord contig;
    for (absl::string_view part : absl::StrSplit(line, ',')) {
      if (absl::ConsumePrefix(&part, "ID=")) contig.name = std::string(part);
      if (absl::ConsumePrefix(&part, "length=") && !absl::SimpleAtoi(part, &contig.length)) contig.length = 0;
    }
    if (!contig.name.empty()) contigs_.push_back(std::move(contig));
  }

  bool ahead_ = false;  // the reader's line is one of the body that Next has not given yet
  size_t columns_ = 0;  // that a line must have; 0 = not known yet
  size_t position_ = 0;
  size_t id_ = 0;
  size_t ref_ = 0;
  size_t alt_ = 0;
};

class LegendFile final : public SiteFile {
 public:
  explicit LegendFile(std::unique_ptr<LineReader> lines) : SiteFile(std::move(lines)) {}

  absl::Status Open() {
    GENOSERVE_ASSIGN_OR_RETURN(const bool more, lines_->Next());
    const std::vector<absl::string_view> expected = {"id", "position", "a0", "a1"};
    std::vector<absl::string_view> words;
    if (more) words = lines_->Words();
    columns_ = words.size();
    if (columns_ < expected.size() || !std::equal(expected.begin(), expected.end(), words.begin())) {
      return absl::InvalidArgumentError(absl::StrCat(path(), ": line 1: expected the header \"id position a0 a1\""));
    }
    return absl::OkStatus();
  }

  absl::StatusOr<bool> Next() override {
    GENOSERVE_ASSIGN_OR_RETURN(const bool more, lines_->Next());
    if (!more) {
      if (lines_->number() == 1) return absl::InvalidArgumentError(absl::StrCat(path(), ": has no variants"));
      return false;
    }
    const std::vector<absl::string_view> words = lines_->Words();
    if (words.size() != columns_)
      return Error(absl::StrFormat("expected %d columns, found %d", columns_, words.size()));
    variant_.id = std::string(words[0]);
    const size_t colon = variant_.id.find(':');
    variant_.contig = colon == std::string::npos ? "1" : variant_.id.substr(0, colon);
    GENOSERVE_RETURN_IF_ERROR(ReadPosition(words[1]));
    variant_.ref = std::string(words[2]);
    variant_.alt = std::string(words[3]);
    alts_ = {variant_.alt};
    return true;
  }

 private:
  size_t columns_ = 0;
};

class VariantTableFile final : public SiteFile {
 public:
  explicit VariantTableFile(std::unique_ptr<LineReader> lines) : SiteFile(std::move(lines)) {}

  absl::Status Open() {
    GENOSERVE_ASSIGN_OR_RETURN(const bool more, lines_->Next());
    if (more && lines_->line() == "contig\tposition\tid\tref\talt") return absl::OkStatus();
    return absl::InvalidArgumentError(
        absl::StrCat(path(), ": line 1: expected the header \"contig position id ref alt\", separated by tabs"));
  }

  absl::StatusOr<bool> Next() override {
    GENOSERVE_ASSIGN_OR_RETURN(const bool more, lines_->Next());
    if (!more) return false;
    const std::vector<absl::string_view> words = lines_->Words();
    if (words.size() != 5) return Error(absl::StrFormat("expected 5 columns, found %d", words.size()));
    variant_.contig = std::string(words[0]);
    GENOSERVE_RETURN_IF_ERROR(ReadPosition(words[1]));
    variant_.id = std::string(words[2]);
    GENOSERVE_RETURN_IF_ERROR(TakeAlleles(words[3], words[4]));
    if (alts_.size() > 1) return Error("has several ALT alleles");
    return true;
  }
};

}  // namespace

absl::StatusOr<std::unique_ptr<SiteFile>> SiteFile::OpenVariantTable(const std::string& path) {
  GENOSERVE_ASSIGN_OR_RETURN(auto lines, LineReader::Open(path));
  auto file = std::make_unique<VariantTableFile>(std::move(lines));
  GENOSERVE_RETURN_IF_ERROR(file->Open());
  return file;
}

absl::StatusOr<std::unique_ptr<SiteFile>> SiteFile::OpenBim(const std::string& path) {
  GENOSERVE_ASSIGN_OR_RETURN(auto lines, LineReader::Open(path));
  return std::make_unique<BimFile>(std::move(lines));
}

absl::StatusOr<std::unique_ptr<SiteFile>> SiteFile::OpenPvar(const std::string& path) {
  GENOSERVE_ASSIGN_OR_RETURN(auto lines, LineReader::Open(path));
  auto file = std::make_unique<PvarFile>(std::move(lines));
  GENOSERVE_RETURN_IF_ERROR(file->Open());
  return file;
}

absl::StatusOr<std::unique_ptr<SiteFile>> SiteFile::OpenLegend(const std::string& path) {
  GENOSERVE_ASSIGN_OR_RETURN(auto lines, LineReader::Open(path));
  auto file = std::make_unique<LegendFile>(std::move(lines));
  GENOSERVE_RETURN_IF_ERROR(file->Open());
  return file;
}

absl::Status SiteFile::ReadPosition(absl::string_view text) {
  if (absl::SimpleAtoi(text, &variant_.position) && variant_.position >= 1) return absl::OkStatus();
  return Error(absl::StrCat("the position \"", text, "\" is not a number from 1 on"));
}

absl::Status SiteFile::TakeAlleles(absl::string_view ref, absl::string_view alts) {
  if (alts == ".") return Error("has no ALT allele; remove variants with one allele only");
  variant_.ref = std::string(ref);
  alts_ = absl::StrSplit(alts, ',');
  const auto is_sequence = [](absl::string_view allele) {
    return !allele.empty() && std::all_of(allele.begin(), allele.end(), [](char base) {
      return std::isalpha(static_cast<unsigned char>(base)) != 0;
    });
  };
  for (const absl::string_view allele : absl::StrSplit(absl::StrCat(ref, ",", alts), ',')) {
    if (!is_sequence(allele)) return Error(absl::StrCat("the allele \"", allele, "\" is not a sequence of bases"));
  }
  variant_.alt = alts_[0];
  return absl::OkStatus();
}

absl::StatusOr<size_t> CountLines(const std::string& path) {
  GENOSERVE_ASSIGN_OR_RETURN(const auto lines, LineReader::Open(path));
  while (true) {
    GENOSERVE_ASSIGN_OR_RETURN(const bool more, lines->Next());
    if (!more) return lines->number();
  }
}

}  // namespace genoserve
