#include <array>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/status.h"
#include "core/io/format_readers.h"
#include "core/io/line_reader.h"
#include "core/io/packed_calls.h"
#include "core/io/sample_list.h"
#include "core/io/site_file.h"

namespace genoserve {
namespace {

constexpr size_t kSiteColumns = 5;  // at the begin of a line of .haps

class OxfordReader final : public OpenedReader {
 public:
  /// `legend_path` is empty where the lines themselves begin with their sites.
  absl::Status Open(const std::string& path, const std::string& legend_path, const std::string& sample_path) {
    GENOSERVE_ASSIGN_OR_RETURN(SampleList list, ReadOxfordSamples(sample_path));
    samples_ = std::move(list.names);
    sexes_ = std::move(list.sexes);
    GENOSERVE_ASSIGN_OR_RETURN(lines_, LineReader::Open(path));
    variants_file_ = path;
    if (legend_path.empty()) return absl::OkStatus();
    GENOSERVE_ASSIGN_OR_RETURN(const bool with_sites, BeginsWithSite(path));
    if (with_sites) return absl::OkStatus();
    variants_file_ = legend_path;
    GENOSERVE_ASSIGN_OR_RETURN(legend_, SiteFile::OpenLegend(legend_path));
    return absl::OkStatus();
  }

  const VariantRecord& variant() const override { return variant_; }

  std::string Place() const override {
    return absl::StrCat(lines_->path(), ": line ", lines_->number(), " (", variant_.id, ")");
  }

  absl::Status ReadCalls(VariantCalls* calls) override {
    ResetCalls(samples_.size(), calls);
    absl::string_view text = lines_->line();
    absl::string_view word;
    for (size_t i = 0; legend_ == nullptr && i < kSiteColumns; ++i) NextWord(&text, &word);
    for (size_t i = 0; i < samples_.size(); ++i) {
      absl::string_view first;
      absl::string_view second;
      if (!NextWord(&text, &first) || !NextWord(&text, &second)) return ColumnsError();
      const Allele a = AlleleOf(first);
      const Allele b = AlleleOf(second);
      if (a.code == kOther || a.code == kNone || b.code == kOther) {
        return lines_->Error(absl::StrCat("sample ", samples_[i], ": the call is \"", first, " ", second,
                                          "\", expected two of 0, 1 and ?, or \"-\" for the second of one"));
      }
      PutCall(i, a, b, calls);
    }
    if (NextWord(&text, &word)) return ColumnsError();
    return absl::OkStatus();
  }

 private:
  enum AlleleCode { kRef = 0, kAlt = 1, kMissing, kNone, kOther };
  struct Allele {
    AlleleCode code = kOther;
    bool phased = true;
  };

  static bool NextWord(absl::string_view* text, absl::string_view* word) {
    const size_t begin = text->find_first_not_of(" \t");
    if (begin == absl::string_view::npos) return false;
    const size_t end = std::min(text->find_first_of(" \t", begin), text->size());
    *word = text->substr(begin, end - begin);
    text->remove_prefix(end);
    return true;
  }

  /// Whether the first line has the columns of a site too: a .haps may lie beside a .legend that is of another file.
  absl::StatusOr<bool> BeginsWithSite(const std::string& path) const {
    GENOSERVE_ASSIGN_OR_RETURN(const auto lines, LineReader::Open(path));
    GENOSERVE_ASSIGN_OR_RETURN(const bool any, lines->Next());
    return any && lines->Words().size() == kSiteColumns + 2 * samples_.size();
  }

  /// bcftools marks the alleles of a call without a phase by '*'.
  static Allele AlleleOf(absl::string_view word) {
    Allele allele;
    if (word.size() == 2 && word[1] == '*') {
      allele.phased = false;
      word.remove_suffix(1);
    }
    if (word == "0") allele.code = kRef;
    if (word == "1") allele.code = kAlt;
    if (word == "?") allele.code = kMissing;
    if (word == "-") allele.code = kNone;
    return allele;
  }

  void PutCall(size_t i, Allele a, Allele b, VariantCalls* calls) const {
    if (b.code == kNone && a.code != kMissing) {
      PutCode(calls->codes, i, a.code == kAlt ? 2 : 0);
      PutLazyBit(&calls->haploid, samples_.size(), i);
      return;
    }
    if (a.code == kMissing || b.code == kMissing) {
      PutCode(calls->codes, i, 3);
      if (a.code != b.code && b.code != kNone) {
        const bool first_missing = a.code == kMissing;
        calls->half_calls.push_back({i, first_missing ? 0 : 1, static_cast<uint8_t>(first_missing ? b.code : a.code)});
      }
      return;
    }
    PutCode(calls->codes, i, static_cast<unsigned>(a.code) + static_cast<unsigned>(b.code));
    if (!a.phased || !b.phased) {
      calls->unphased = true;
      return;
    }
    calls->phased = true;
    if (a.code == kAlt && b.code == kRef) PutLazyBit(&calls->alt_first, samples_.size(), i);
  }

  absl::Status ColumnsError() const {
    const std::string before = legend_ == nullptr ? "contig, id, position, a0, a1 and " : "";
    return lines_->Error(absl::StrFormat("expected %s%d alleles, two for each of %d samples, found %d words", before,
                                         2 * samples_.size(), samples_.size(), lines_->Words().size()));
  }

  absl::StatusOr<bool> Advance() override {
    GENOSERVE_ASSIGN_OR_RETURN(const bool more, lines_->Next());
    if (legend_ == nullptr) {
      if (!more) {
        if (lines_->number() == 0) return absl::InvalidArgumentError(absl::StrCat(lines_->path(), ": is empty"));
        return false;
      }
      GENOSERVE_RETURN_IF_ERROR(ReadSite());
      return true;
    }
    GENOSERVE_ASSIGN_OR_RETURN(const bool more_sites, legend_->Next());
    if (more != more_sites) {
      return absl::InvalidArgumentError(absl::StrFormat("%s: has %s lines than %s has variants", lines_->path(),
                                                        more ? "more" : "fewer", legend_->path()));
    }
    if (more) variant_ = legend_->variant();
    return more;
  }

  /// Reads the columns before the alleles.
  absl::Status ReadSite() {
    absl::string_view text = lines_->line();
    std::array<absl::string_view, kSiteColumns> words;
    for (absl::string_view& word : words) {
      if (!NextWord(&text, &word)) return ColumnsError();
    }
    if (!absl::SimpleAtoi(words[2], &variant_.position) || variant_.position < 1) {
      return lines_->Error(absl::StrCat("the position \"", words[2], "\" is not a number from 1 on"));
    }
    // Some versions of bcftools have CONTIG:POSITION_REF_ALT in the first column.
    const std::string place = absl::StrCat(":", words[2], "_", words[3], "_", words[4]);
    const size_t colon = words[0].size() - std::min(words[0].size(), place.size());
    const bool full = words[0].substr(colon) == place;
    variant_.contig = std::string(full ? words[0].substr(0, colon) : words[0]);
    variant_.id = std::string(words[1]);
    variant_.ref = std::string(words[3]);
    variant_.alt = std::string(words[4]);
    return absl::OkStatus();
  }

  std::unique_ptr<LineReader> lines_;
  std::unique_ptr<SiteFile> legend_;  // null: the lines begin with their sites
  VariantRecord variant_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<VariantReader>> OpenHapReader(const std::string& path, const std::string& legend_path,
                                                             const std::string& sample_path) {
  auto reader = std::make_unique<OxfordReader>();
  GENOSERVE_RETURN_IF_ERROR(reader->Open(path, legend_path, sample_path));
  return reader;
}

absl::StatusOr<std::unique_ptr<VariantReader>> OpenHapsReader(const std::string& path, const std::string& sample_path) {
  auto reader = std::make_unique<OxfordReader>();
  GENOSERVE_RETURN_IF_ERROR(reader->Open(path, "", sample_path));
  return reader;
}

}  // namespace genoserve
