#include "client/lib/stream_checker.h"

#include <google/protobuf/util/message_differencer.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/crc32c.h"
#include "core/base/sha256.h"
#include "core/base/status.h"

namespace genoserve {
namespace {

using google::protobuf::util::MessageDifferencer;

std::span<const uint8_t> Bytes(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

bool IsHexDigest(const std::string& text) {
  return text.size() == 64 && std::all_of(text.begin(), text.end(), [](char c) { return absl::ascii_isxdigit(c); });
}

absl::Status Differs(const char* field, const std::string& told, const std::string& due) {
  return absl::DataLossError(absl::StrCat("stream header: ", field, " is ", told, ", not ", due));
}

// What a request fixes, the header must repeat.
absl::Status CheckAnswers(const v1::StreamCohortRequest& request, const v1::CohortHeader& header) {
  const auto number = [](auto value) { return absl::StrCat(value); };
  if (header.model() != request.model()) return Differs("model", header.model(), request.model());
  if (!request.version().empty() && header.version() != request.version()) {
    return Differs("version", header.version(), request.version());
  }
  if (!request.artifact_digest().empty() && header.artifact_digest() != request.artifact_digest()) {
    return Differs("artifact digest", header.artifact_digest(), request.artifact_digest());
  }
  if (request.has_seed() && header.seed() != request.seed()) {
    return Differs("seed", number(header.seed()), number(request.seed()));
  }
  if (request.has_engine() && !MessageDifferencer::Equals(header.engine(), request.engine())) {
    return Differs("engine", header.engine().ShortDebugString(), request.engine().ShortDebugString());
  }
  if (request.cohort_size() > 0 && header.cohort_size() != request.cohort_size()) {
    return Differs("cohort size", number(header.cohort_size()), number(request.cohort_size()));
  }
  if (header.first_sample() != request.first_sample()) {
    return Differs("first sample", number(header.first_sample()), number(request.first_sample()));
  }
  const int64_t due =
      request.has_sample_count() ? request.sample_count() : header.cohort_size() - header.first_sample();
  if (header.sample_count() != due) return Differs("sample count", number(header.sample_count()), number(due));
  return absl::OkStatus();
}

absl::Status CheckSelf(const v1::CohortHeader& header) {
  if (!IsHexDigest(header.artifact_digest()) || !IsHexDigest(header.variant_digest())) {
    return absl::DataLossError("stream header: a digest is not 64 hexadecimal digits");
  }
  if (header.ploidy() != 2) return Differs("ploidy", absl::StrCat(header.ploidy()), "2");
  if (header.variant_count() < 1 || header.sample_count() < 1 || header.first_sample() < 0 ||
      header.first_sample() > header.cohort_size() - header.sample_count()) {
    return absl::DataLossError(absl::StrFormat(
        "stream header: %d variants and samples %d to %d of a cohort of %d do not fit together", header.variant_count(),
        header.first_sample(), header.first_sample() + header.sample_count() - 1, header.cohort_size()));
  }
  const bool haplotypes = header.encoding() == v1::GENOTYPE_ENCODING_HAPLOTYPE_1BIT;
  if ((!haplotypes && header.encoding() != v1::GENOTYPE_ENCODING_DIPLOID_2BIT) || (haplotypes && !header.phased())) {
    return absl::DataLossError(absl::StrCat("stream header: encoding ", v1::GenotypeEncoding_Name(header.encoding()),
                                            header.phased() ? " of haplotypes" : " of diploid genotypes",
                                            " is not a packed form of them"));
  }
  return absl::OkStatus();
}

// Padding bits of all rows must be 0, so that equal genotypes are equal bytes.
bool PaddingIsZero(const std::string& genotypes, size_t row_bytes, size_t row_bits) {
  const size_t used = row_bits % 8;
  if (used == 0) return true;
  for (size_t last = row_bytes - 1; last < genotypes.size(); last += row_bytes) {
    if ((static_cast<uint8_t>(genotypes[last]) >> used) != 0) return false;
  }
  return true;
}

absl::Status CheckPhenotypes(const v1::CohortHeader& header, const v1::GenotypeBatch& batch) {
  for (int i = 0; i < header.phenotypes_size(); ++i) {
    const v1::PhenotypeSchema& schema = header.phenotypes(i);
    const auto& values = batch.phenotypes(i).values();
    const int levels = schema.categorical().levels_size();
    const auto bad = std::find_if(values.begin(), values.end(), [&](double value) {
      return schema.has_categorical() ? !(value >= 0 && value < levels && value == std::floor(value))
                                      : !std::isfinite(value);
    });
    if (values.size() != batch.sample_count() || bad != values.end()) {
      return absl::DataLossError(absl::StrCat("batch at sample ", batch.first_sample(), ": phenotype ", schema.name(),
                                              " has values that are missing or not allowed"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

Packing StreamChecker::packing() const {
  return header_.encoding() == v1::GENOTYPE_ENCODING_HAPLOTYPE_1BIT ? Packing::kHaplotype1Bit : Packing::kDiploid2Bit;
}

absl::Status StreamChecker::GoOn(const v1::StreamCohortRequest& request, const CohortProgress& progress) {
  const v1::CohortHeader& header = progress.header;
  absl::Status status = CheckAnswers(request, header);
  if (status.ok()) status = CheckSelf(header);
  if (!status.ok()) return absl::InvalidArgumentError(absl::StrCat("progress to go on from: ", status.message()));
  const int64_t end = header.first_sample() + progress.received;
  const bool all = progress.received == header.sample_count();
  const int64_t touched =
      progress.received == 0 ? 0 : (end - 1) / kDigestBlock - header.first_sample() / kDigestBlock + 1;
  if (progress.received < 0 || progress.received > header.sample_count() ||
      (progress.received > 0 && !all && end % kDigestBlock != 0) ||
      std::cmp_not_equal(progress.blocks.size(), touched)) {
    return absl::InvalidArgumentError(
        absl::StrFormat("progress to go on from: %d digests of blocks do not fit %d samples of %d, from sample %d",
                        progress.blocks.size(), progress.received, header.sample_count(), header.first_sample()));
  }
  header_ = header;
  next_sample_ = end;
  sample_bytes_ =
      static_cast<int64_t>(RowBytes(packing(), static_cast<size_t>(header.variant_count())) * RowsPerSample(packing()));
  whole_digest_.emplace(next_sample_, sample_bytes_, progress.blocks);
  if (all) digest_ = whole_digest_->Finish();
  return absl::OkStatus();
}

absl::Status StreamChecker::Header(const v1::StreamCohortRequest& request, const v1::CohortHeader& header) {
  GENOSERVE_RETURN_IF_ERROR(CheckAnswers(request, header));
  GENOSERVE_RETURN_IF_ERROR(CheckSelf(header));
  if (!begun()) {
    header_ = header;
    if (sample_count_ > 0) header_.set_sample_count(sample_count_);
    next_sample_ = header.first_sample();
    const auto variants = static_cast<size_t>(header.variant_count());
    sample_bytes_ = static_cast<int64_t>(RowBytes(packing(), variants) * RowsPerSample(packing()));
    whole_digest_.emplace(next_sample_, sample_bytes_);
  } else {
    v1::CohortHeader same = header;
    same.set_first_sample(header_.first_sample());
    same.set_sample_count(header_.sample_count());
    if (!MessageDifferencer::Equals(same, header_)) {
      return absl::DataLossError(absl::StrCat("stream header: the call that went on at sample ", header.first_sample(),
                                              " tells another cohort than the one before"));
    }
    if (header.first_sample() != next_sample_) {
      return Differs("first sample", absl::StrCat(header.first_sample()), absl::StrCat(next_sample_));
    }
  }
  call_first_ = header.first_sample();
  call_count_ = header.sample_count();
  call_digest_.reset();
  const bool whole = call_first_ == header_.first_sample() && call_count_ == header_.sample_count();
  if (!whole) call_digest_.emplace(call_first_, sample_bytes_);
  return absl::OkStatus();
}

absl::Status StreamChecker::Batch(const v1::GenotypeBatch& batch) {
  if (!begun()) return absl::DataLossError("a batch came before the stream's header");
  if (batch.first_sample() != next_sample_) {
    return absl::DataLossError(
        absl::StrFormat("a batch begins at sample %d, not at sample %d", batch.first_sample(), next_sample_));
  }
  const std::string where = absl::StrCat("batch at sample ", next_sample_, ": ");
  const int64_t left = call_first_ + call_count_ - next_sample_;
  if (batch.sample_count() < 1 || batch.sample_count() > left) {
    return absl::DataLossError(absl::StrFormat("%sholds %d samples, %d are left", where, batch.sample_count(), left));
  }
  const int64_t bytes = batch.sample_count() * sample_bytes_;
  if (static_cast<int64_t>(batch.genotypes().size()) != bytes) {
    return absl::DataLossError(
        absl::StrFormat("%sholds %d bytes of genotypes, not %d", where, batch.genotypes().size(), bytes));
  }
  if (const uint32_t crc = Crc32c(batch.genotypes()); crc != batch.crc32c()) {
    return absl::DataLossError(absl::StrFormat("%schecksum is %08x, not %08x", where, crc, batch.crc32c()));
  }
  const auto variants = static_cast<size_t>(header_.variant_count());
  if (!PaddingIsZero(batch.genotypes(), RowBytes(packing(), variants), variants * BitsPerGenotype(packing()))) {
    return absl::DataLossError(absl::StrCat(where, "bits that pad a row are not 0"));
  }
  const auto& labels = batch.label_indices();
  const int labels_due = header_.labels_size() > 0 ? batch.sample_count() : 0;
  if (labels.size() != labels_due || std::any_of(labels.begin(), labels.end(), [this](uint32_t i) {
        return std::cmp_greater_equal(i, header_.labels_size());
      })) {
    return absl::DataLossError(absl::StrCat(where, "population labels are missing or unknown"));
  }
  if (batch.phenotypes_size() != header_.phenotypes_size()) {
    return absl::DataLossError(
        absl::StrFormat("%sholds %d phenotypes, not %d", where, batch.phenotypes_size(), header_.phenotypes_size()));
  }
  GENOSERVE_RETURN_IF_ERROR(CheckPhenotypes(header_, batch));
  whole_digest_->Update(Bytes(batch.genotypes()));
  if (call_digest_.has_value()) call_digest_->Update(Bytes(batch.genotypes()));
  next_sample_ += batch.sample_count();
  return absl::OkStatus();
}

absl::Status StreamChecker::Footer(const v1::CohortFooter& footer) {
  if (!begun()) return absl::DataLossError("a footer came before the stream's header");
  const int64_t received = next_sample_ - call_first_;
  if (footer.sample_count() != call_count_ || received != call_count_) {
    return absl::DataLossError(absl::StrFormat("the footer tells %d samples, %d came, %d were due",
                                               footer.sample_count(), received, call_count_));
  }
  const bool last = next_sample_ == header_.first_sample() + header_.sample_count();
  std::optional<Sha256Digest> whole;
  if (last) whole = whole_digest_->Finish();
  const Sha256Digest digest = call_digest_.has_value() ? call_digest_->Finish() : *whole;
  const std::span<const uint8_t> told = Bytes(footer.sha256());
  if (!std::equal(told.begin(), told.end(), digest.begin(), digest.end())) {
    return absl::DataLossError(absl::StrCat("the digest of the genotypes is ", ToHex(digest),
                                            ", which is not what the server's footer tells"));
  }
  digest_ = whole;
  return absl::OkStatus();
}

}  // namespace genoserve
