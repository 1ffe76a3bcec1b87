#include "client/cli/convert.h"

#include <unistd.h>

#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "client/cli/exit_code.h"
#include "client/cli/selection.h"
#include "core/base/count_text.h"
#include "core/base/file.h"
#include "core/base/status.h"
#include "core/io/conversion.h"
#include "core/io/line_reader.h"

namespace genoserve {
namespace {

/// Tells how far a conversion is: a line that is rewritten on a terminal, else one every ten seconds.
class VariantProgress {
 public:
  VariantProgress(bool quiet, Interrupt* interrupt)
      : quiet_(quiet), terminal_(::isatty(STDERR_FILENO) != 0), interrupt_(interrupt), told_(absl::Now()) {}
  ~VariantProgress() {
    if (open_) std::fputs("\r\033[K", stderr);
  }
  VariantProgress(const VariantProgress&) = delete;
  VariantProgress& operator=(const VariantProgress&) = delete;

  absl::Status Tell(int64_t done, int64_t total) {
    constexpr int64_t kSeldom = 64;  // variants between two looks at the clock and for signals
    if (done % kSeldom != 0) return absl::OkStatus();
    if (interrupt_->raised()) return absl::CancelledError("interrupted");
    const absl::Time now = absl::Now();
    if (quiet_ || now - told_ < (terminal_ ? absl::Milliseconds(200) : absl::Seconds(10))) return absl::OkStatus();
    told_ = now;
    open_ = terminal_;
    const std::string of = total == 0 ? "" : absl::StrCat(" of ", FormatCount(total));
    std::fprintf(stderr, "%sgenoserve: %s: %s%s variants%s", terminal_ ? "\r\033[K" : "",
                 total == 0 ? "reading" : "writing", FormatCount(done).c_str(), of.c_str(), terminal_ ? "" : "\n");
    return absl::OkStatus();
  }

 private:
  const bool quiet_;
  const bool terminal_;
  Interrupt* const interrupt_;
  absl::Time told_;
  bool open_ = false;
};

/// The value of a word among those that there are.
template <typename Value>
absl::StatusOr<Value> ChooseWord(const char* option, const std::string& word,
                                 const std::vector<std::pair<const char*, Value>>& words) {
  for (const auto& [name, value] : words) {
    if (word == name) return value;
  }
  return absl::InvalidArgumentError(
      absl::StrCat(option, ": \"", word, "\" is none of ",
                   absl::StrJoin(words, ", ", [](std::string* out, const auto& w) { out->append(w.first); })));
}

/// The first word of every line, or of a PLINK list of samples the IID; lines that begin with '#' but the header of
/// such a list are left out. INVALID_ARGUMENT where there is none.
absl::StatusOr<std::vector<std::string>> ReadList(const std::string& path, bool plink_samples) {
  GENOSERVE_ASSIGN_OR_RETURN(const auto lines, LineReader::Open(path, LastLine::kMayNotEnd));
  std::vector<std::string> list;
  bool one_column = false;  // a header says that names are in the first column
  while (true) {
    GENOSERVE_ASSIGN_OR_RETURN(const bool more, lines->Next());
    if (!more) break;
    const std::vector<absl::string_view> words = lines->Words();
    if (words.empty()) continue;
    if (words[0][0] == '#') {
      one_column = words[0] == "#IID";
      continue;
    }
    list.emplace_back(words[plink_samples && !one_column && words.size() > 1 ? 1 : 0]);
  }
  if (list.empty()) return absl::InvalidArgumentError(absl::StrCat(path, ": is empty"));
  return list;
}

absl::StatusOr<std::vector<GenomicRegion>> ReadRegions(const ConvertArguments& arguments) {
  if (!arguments.regions.empty() && !arguments.regions_file.empty()) {
    return absl::InvalidArgumentError("give either -r or -R");
  }
  std::vector<v1::Region> regions;
  if (!arguments.regions.empty()) {
    GENOSERVE_ASSIGN_OR_RETURN(regions, ParseRegions(arguments.regions));
  }
  if (!arguments.regions_file.empty()) {
    GENOSERVE_ASSIGN_OR_RETURN(regions, ReadRegionsFile(arguments.regions_file));
  }
  std::vector<GenomicRegion> all;
  all.reserve(regions.size());
  for (const v1::Region& region : regions) all.push_back({region.contig(), region.start(), region.end()});
  return all;
}

absl::StatusOr<VariantFilters> ReadFilters(const ConvertArguments& arguments) {
  VariantFilters filters;
  GENOSERVE_ASSIGN_OR_RETURN(filters.regions, ReadRegions(arguments));
  const int lists =
      (arguments.samples.empty() ? 0 : 1) + (arguments.samples_file.empty() ? 0 : 1) + (arguments.keep.empty() ? 0 : 1);
  if (lists > 1) return absl::InvalidArgumentError("give only one of -s, -S and --keep");
  if (!arguments.samples.empty()) filters.samples = absl::StrSplit(arguments.samples, ',');
  if (!arguments.samples_file.empty()) {
    GENOSERVE_ASSIGN_OR_RETURN(filters.samples, ReadList(arguments.samples_file, false));
  }
  if (!arguments.keep.empty()) {
    GENOSERVE_ASSIGN_OR_RETURN(filters.samples, ReadList(arguments.keep, true));
    filters.file_order = true;
  }
  if (!arguments.extract.empty()) {
    GENOSERVE_ASSIGN_OR_RETURN(const std::vector<std::string> ids, ReadList(arguments.extract, false));
    filters.extract = true;
    filters.ids.insert(ids.begin(), ids.end());
  }
  filters.min_maf = arguments.maf;
  filters.max_variant_missing = arguments.max_missing;
  filters.max_sample_missing = arguments.mind;
  return filters;
}

absl::StatusOr<Conversion> PlanConversion(const ConvertArguments& arguments) {
  Conversion conversion;
  if (arguments.input == "-") {
    return absl::InvalidArgumentError("standard input cannot be read twice, as convert does; put it in a file");
  }
  conversion.from = SourceOfPath(arguments.input);
  conversion.reader.haploid = HaploidCalls::kDouble;
  GENOSERVE_ASSIGN_OR_RETURN(
      conversion.reader.multi_allelic,
      ChooseWord<MultiAllelic>("--multiallelic", arguments.multiallelic,
                               {{"split", MultiAllelic::kSplit}, {"refuse", MultiAllelic::kRefuse}}));
  GENOSERVE_ASSIGN_OR_RETURN(conversion.missing, ChooseWord<MissingPolicy>("--missing", arguments.missing,
                                                                           {{"keep", MissingPolicy::kKeep},
                                                                            {"impute", MissingPolicy::kImpute},
                                                                            {"refuse", MissingPolicy::kRefuse}}));
  GENOSERVE_ASSIGN_OR_RETURN(conversion.filters, ReadFilters(arguments));
  conversion.unphased = arguments.unphased;
  GENOSERVE_ASSIGN_OR_RETURN(const OutputPlan plan, PlanOutput(arguments.output));
  conversion.format = plan.format;
  conversion.path = plan.path;
  conversion.writer.index = plan.index;
  conversion.writer.oxford = plan.oxford;
  GENOSERVE_RETURN_IF_ERROR(CheckFolder(plan));
  for (const std::string& file : arguments.force ? std::vector<std::string>() : plan.GenotypeFiles()) {
    if (FileSystem::Posix().Exists(file)) {
      return absl::AlreadyExistsError(absl::StrCat(file, ": is there already; --force replaces it"));
    }
  }
  return conversion;
}

/// "dropped 20 variants: 12 outside the regions, 8 with a rarer allele below 0.01", or "" where none was.
std::string DroppedText(int64_t dropped, const char* what, const std::vector<std::pair<int64_t, std::string>>& why) {
  if (dropped == 0) return "";
  std::vector<std::string> parts;
  for (const auto& [count, reason] : why) {
    if (count > 0) parts.push_back(absl::StrCat(FormatCount(count), " ", reason));
  }
  return absl::StrCat("dropped ", FormatCount(dropped), " ", what, ": ", absl::StrJoin(parts, ", "));
}

std::vector<std::string> SummaryLines(const ConvertArguments& arguments, const ConversionSummary& summary) {
  const FilterCounts& counts = summary.counts;
  const int64_t samples = counts.samples_read - counts.samples_not_wanted - counts.samples_missing;
  const auto note = [](int64_t count, const char* text) {
    return count == 0 ? std::string() : absl::StrCat(FormatCount(count), " ", text);
  };
  std::vector<std::string> lines = {
      absl::StrCat("read ", FormatCount(counts.variants_read), " variants of ", FormatCount(counts.samples_read),
                   " samples from ", arguments.input),
      DroppedText(counts.samples_read - samples, "samples",
                  {{counts.samples_not_wanted, "not asked for"},
                   {counts.samples_missing, absl::StrCat("without a call at more than ", arguments.mind)}}),
      DroppedText(counts.variants_read - counts.variants_kept, "variants",
                  {{counts.outside_regions, "outside the regions"},
                   {counts.not_extracted, absl::StrCat("not in ", arguments.extract)},
                   {counts.missing, absl::StrCat("without a call in more than ", arguments.max_missing)},
                   {counts.rare, absl::StrCat("with a rarer allele below ", arguments.maf)}}),
      note(summary.renamed_variants, "variants are named CONTIG:POSITION:REF:ALT; their ids were \".\" or not unique"),
      note(summary.inferred_males, "samples are male by their haploid calls on X"),
      note(summary.doubled_calls, "haploid calls off X, Y and MT are written as homozygous"),
      note(summary.imputed_calls, "missing calls were drawn by allele frequency"),
      note(summary.missing_calls, "calls are missing"),
      summary.phase_dropped ? "the phase was dropped" : "",
      absl::StrCat("wrote ", FormatCount(counts.variants_kept), " variants of ", FormatCount(samples), " samples, ",
                   summary.haplotypes ? "phased" : "unphased", ", to ", arguments.output.path)};
  return lines;
}

absl::StatusOr<ConversionSummary> RunPlanned(const ConvertArguments& arguments, Interrupt* interrupt) {
  GENOSERVE_ASSIGN_OR_RETURN(const Conversion conversion, PlanConversion(arguments));
  VariantProgress progress(arguments.quiet, interrupt);
  return Convert(conversion, [&progress](int64_t done, int64_t total) { return progress.Tell(done, total); });
}

}  // namespace

absl::Status RunConvert(const ConvertArguments& arguments, Interrupt* interrupt) {
  const absl::StatusOr<ConversionSummary> summary = RunPlanned(arguments, interrupt);
  if (absl::IsCancelled(summary.status())) return summary.status();
  if (!summary.ok()) return Local(summary.status());
  if (arguments.quiet) return absl::OkStatus();
  for (const std::string& line : SummaryLines(arguments, *summary)) {
    if (!line.empty()) std::fprintf(stderr, "genoserve: %s\n", line.c_str());
  }
  return absl::OkStatus();
}

}  // namespace genoserve
