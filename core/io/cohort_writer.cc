#include "core/io/cohort_writer.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/sha256.h"
#include "core/base/status.h"
#include "core/io/cohort_files.h"
#include "core/io/column_layout.h"
#include "core/io/row_part.h"
#include "core/io/transposed_part.h"

namespace genoserve {
namespace {

/// What tells a cohort's part from another's.
std::string Identity(const CohortTarget& target) {
  const CohortDescription& cohort = target.cohort;
  std::string text = absl::StrCat(cohort.cohort_size, "\n", cohort.first_sample, "\n", cohort.variants.Digest(), "\n");
  for (const auto& [key, value] : cohort.provenance) absl::StrAppend(&text, key, "\n", value, "\n");
  text += target.options.part_key;
  return absl::StrCat(CohortFormatName(target.format), " ", Sha256Hex(text));
}

/// A part, and what makes the files of it.
struct Gathering {
  std::unique_ptr<GenotypePart> part;
  std::function<absl::Status()> finish;
};

/// Opens the part that suits the format. `target` must live as long as the result.
absl::StatusOr<Gathering> OpenPart(const CohortTarget& target, PartShape shape, const PartPlace& place) {
  const std::vector<int64_t>& done = target.options.done;
  // The final file itself takes the genotypes where its layout lets it.
  PartPlace file = place;
  if (!place.kept() && target.path != kStandardOutput) {
    file = {PartPlace::Kind::kTemporary, FilesOfCohort(target.format, target.path).back()};
  }
  const auto in_place = [&target](auto part) {
    PartFile* const genotypes = &part->file();
    return Gathering{std::move(part), [&target, genotypes] { return FinishInPlace(target, *genotypes); }};
  };
  const bool bed = target.format == CohortFormat::kBed;
  const bool pgen = target.format == CohortFormat::kPgen && target.cohort.packing == Packing::kDiploid2Bit;
  if ((bed || pgen) && TransposedPart::FitsInPlace(shape)) {
    ColumnLayout layout = bed ? BedLayout(target.cohort) : PgenLayout(target.cohort);
    GENOSERVE_ASSIGN_OR_RETURN(auto part, TransposedPart::OpenInPlace(file, std::move(shape), done, std::move(layout)));
    return in_place(std::move(part));
  }
  if (target.format == CohortFormat::kNpy && target.path != kStandardOutput) {
    GENOSERVE_ASSIGN_OR_RETURN(auto part, RowPart::OpenInPlace(file, std::move(shape), done, NpyLayout(target.cohort)));
    return in_place(std::move(part));
  }
  if (IsByRows(target.format)) {
    GENOSERVE_ASSIGN_OR_RETURN(auto part, RowPart::Open(place, std::move(shape), done));
    const RowPart* const rows = part.get();
    return Gathering{std::move(part), [&target, rows] {
                       return FinishByRows(target, [rows](TakeRows take) { return rows->ForEachRows(take); });
                     }};
  }
  GENOSERVE_ASSIGN_OR_RETURN(auto part, TransposedPart::Open(place, std::move(shape), done));
  TransposedPart* const variants = part.get();
  return Gathering{std::move(part), [&target, variants] {
                     return FinishByVariants(target,
                                             [variants](TakeSegment take) { return variants->ForEachSegment(take); });
                   }};
}

/// Gathers rows in a part, and writes the files from it.
class PartCohortWriter final : public CohortWriter {
 public:
  static absl::StatusOr<std::unique_ptr<CohortWriter>> Open(CohortTarget target, PartShape shape,
                                                            const PartPlace& place) {
    std::unique_ptr<PartCohortWriter> writer(new PartCohortWriter(std::move(target)));
    GENOSERVE_ASSIGN_OR_RETURN(writer->gathering_, OpenPart(writer->target_, std::move(shape), place));
    return writer;
  }

  absl::Status Append(const GenotypeMatrix& rows, size_t range) override {
    if (closed_) return ClosedError();
    const CohortDescription& cohort = target_.cohort;
    if (rows.packing() != cohort.packing || rows.variants() != cohort.variants.size()) {
      return absl::InvalidArgumentError(
          absl::StrFormat("%s: rows have %d variants%s, expected %d", target_.path, rows.variants(),
                          rows.packing() == cohort.packing ? "" : " in the other packing", cohort.variants.size()));
    }
    if (range >= part().ranges()) {
      return absl::InvalidArgumentError(
          absl::StrFormat("%s: got samples of range %d where there are %d", target_.path, range, part().ranges()));
    }
    const int64_t left = part().samples(range) - part().appended(range);
    if (static_cast<int64_t>(rows.samples()) > left) {
      return absl::InvalidArgumentError(absl::StrFormat("%s: got %d samples where %d are left of %d", target_.path,
                                                        rows.samples(), left, part().samples(range)));
    }
    return part().Append(range, rows);
  }

  absl::StatusOr<std::vector<int64_t>> Save() override {
    if (closed_) return ClosedError();
    if (target_.options.keep_part) return part().Save();
    return absl::FailedPreconditionError(absl::StrCat(target_.path, ": the part is not kept"));
  }

  absl::Status Close() override {
    if (closed_) return ClosedError();
    int64_t appended = 0;
    for (size_t i = 0; i < part().ranges(); ++i) appended += part().appended(i);
    if (appended != target_.cohort.sample_count) {
      return absl::FailedPreconditionError(absl::StrFormat("%s: only %d of %d samples were written", target_.path,
                                                           appended, target_.cohort.sample_count));
    }
    closed_ = true;
    absl::Status status = gathering_.finish();
    // A part that is not the main file stays until that has its name.
    if (status.ok() && target_.options.keep_part) GENOSERVE_RETURN_IF_ERROR(part().file().Remove());
    gathering_ = {};
    return status;
  }

 private:
  explicit PartCohortWriter(CohortTarget target) : target_(std::move(target)) {}

  GenotypePart& part() const { return *gathering_.part; }

  absl::Status ClosedError() const {
    return absl::FailedPreconditionError(absl::StrCat(target_.path, ": is closed already"));
  }

  const CohortTarget target_;
  Gathering gathering_;
  bool closed_ = false;
};

}  // namespace

std::string SyntheticSampleName(int64_t index, int64_t cohort_size) {
  const size_t digits = std::max<size_t>(6, absl::StrCat(cohort_size).size());
  const std::string number = absl::StrCat(index + 1);
  return absl::StrCat("SYN", std::string(digits - std::min(digits, number.size()), '0'), number);
}

absl::StatusOr<std::unique_ptr<CohortWriter>> OpenCohortWriter(CohortFormat format, const std::string& path,
                                                               CohortDescription description,
                                                               CohortWriterOptions options) {
  CohortTarget target{format, path, std::move(description), std::move(options)};
  GENOSERVE_RETURN_IF_ERROR(CheckTarget(target));
  const CohortDescription& cohort = target.cohort;
  PartShape shape{cohort.packing, cohort.variants.size(), target.options.range_ends, target.options.memory,
                  Identity(target)};
  if (shape.range_ends.empty()) shape.range_ends = {cohort.sample_count};
  absl::Status sane = shape.Check(target.options.done);
  if (sane.ok() && shape.samples() != cohort.sample_count) {
    sane = absl::InvalidArgumentError(
        absl::StrFormat("ranges end at %d where there are %d samples", shape.samples(), cohort.sample_count));
  }
  if (sane.ok() && !target.options.keep_part && !target.options.done.empty()) {
    sane = absl::InvalidArgumentError("samples are done, but the part is not a kept one");
  }
  if (!sane.ok()) return Annotate(sane, path);
  PartPlace place;
  if (target.options.keep_part) {
    place = {target.options.done.empty() ? PartPlace::Kind::kKept : PartPlace::Kind::kReopened, PartPath(format, path)};
  } else {
    place.path = SpillFolder(path);
  }
  return PartCohortWriter::Open(std::move(target), std::move(shape), place);
}

absl::Status WriteCohortByVariants(CohortFormat format, const std::string& path, CohortDescription description,
                                   const SegmentSource& genotypes, const CohortWriterOptions& options) {
  const CohortTarget target{format, path, std::move(description), options};
  GENOSERVE_RETURN_IF_ERROR(CheckTarget(target));
  return IsByRows(format) ? FinishByRows(target, RowsOfVariants(target, genotypes))
                          : FinishByVariants(target, genotypes);
}

}  // namespace genoserve
