#include "core/io/cohort_writer.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/sha256.h"
#include "core/base/status.h"
#include "core/io/bed_layout.h"
#include "core/io/cohort_files.h"
#include "core/io/transposed_part.h"

namespace genoserve {
namespace {

/// What tells a cohort's part from another's.
std::string Identity(const CohortTarget& target) {
  const CohortDescription& cohort = target.cohort;
  std::string text = absl::StrCat(cohort.cohort_size, "\n", cohort.first_sample, "\n", cohort.variants.Digest(), "\n");
  for (const auto& [key, value] : cohort.provenance) absl::StrAppend(&text, key, "\n", value, "\n");
  return absl::StrCat(CohortFormatName(target.format), " ", Sha256Hex(text));
}

/// Gathers rows in a part, and writes the files from it.
class PartCohortWriter final : public CohortWriter {
 public:
  static absl::StatusOr<std::unique_ptr<CohortWriter>> Open(CohortTarget target, PartShape shape, PartPlace gathering) {
    const std::vector<int64_t>& done = target.options.done;
    std::unique_ptr<PartCohortWriter> writer(new PartCohortWriter(std::move(target)));
    const CohortTarget& to = writer->target_;
    // The final file itself takes the genotypes where its layout lets it.
    PartPlace final_file = gathering;
    if (!gathering.kept()) {
      final_file = {PartPlace::Kind::kTemporary, FilesOfCohort(to.format, to.path, to.options.index).back()};
    }
    if (to.format == CohortFormat::kBed && TransposedPart::FitsInPlace(shape)) {
      GENOSERVE_ASSIGN_OR_RETURN(writer->variants_,
                                 TransposedPart::OpenInPlace(final_file, std::move(shape), done, BedLayout(to.cohort)));
      writer->in_place_ = true;
    } else {
      GENOSERVE_ASSIGN_OR_RETURN(writer->variants_, TransposedPart::Open(gathering, std::move(shape), done));
    }
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
    const absl::Status status = Finish();
    variants_.reset();
    return status;
  }

 private:
  explicit PartCohortWriter(CohortTarget target) : target_(std::move(target)) {}

  GenotypePart& part() const { return *variants_; }

  absl::Status ClosedError() const {
    return absl::FailedPreconditionError(absl::StrCat(target_.path, ": is closed already"));
  }

  absl::Status Finish() {
    if (in_place_) return FinishInPlace(target_, variants_->file());
    GENOSERVE_RETURN_IF_ERROR(
        FinishByVariants(target_, [this](TakeSegment take) { return variants_->ForEachSegment(take); }));
    return target_.options.keep_part ? variants_->file().Remove() : absl::OkStatus();
  }

  const CohortTarget target_;
  std::unique_ptr<TransposedPart> variants_;
  bool in_place_ = false;
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
  } else if (path == kStandardOutput) {
    const char* const temporary = std::getenv("TMPDIR");
    place.path = temporary == nullptr || *temporary == '\0' ? "/tmp" : temporary;
  } else {
    place.path = FolderOf(path);
  }
  return PartCohortWriter::Open(std::move(target), std::move(shape), std::move(place));
}

absl::Status WriteCohortByVariants(CohortFormat format, const std::string& path, CohortDescription description,
                                   const SegmentSource& genotypes, const CohortWriterOptions& options) {
  const CohortTarget target{format, path, std::move(description), options};
  GENOSERVE_RETURN_IF_ERROR(CheckTarget(target));
  return FinishByVariants(target, genotypes);
}

}  // namespace genoserve
