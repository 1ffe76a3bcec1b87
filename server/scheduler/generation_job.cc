#include "server/scheduler/generation_job.h"

#include <algorithm>
#include <utility>

#include "core/base/crc32c.h"

namespace genoserve {

void PendingBatch::Allocate(const JobSpec& spec) {
  std::call_once(allocated_, [this, &spec] {
    sample_bytes_ = spec.encoder.sample_bytes();
    message_.set_first_sample(first_);
    message_.set_sample_count(static_cast<int32_t>(count_));
    std::string& bytes = *message_.mutable_genotypes();
    bytes.resize(static_cast<size_t>(count_) * sample_bytes_);
    genotypes_ = reinterpret_cast<uint8_t*>(bytes.data());
    if (!spec.version->manifest.labels().empty()) {
      message_.mutable_label_indices()->Resize(static_cast<int>(count_), 0);
      labels_ = message_.mutable_label_indices()->mutable_data();
    }
    for (size_t i = 0; i < spec.plan.phenotype_count(); ++i) {
      auto* values = message_.add_phenotypes()->mutable_values();
      values->Resize(static_cast<int>(count_), 0.0);
      phenotypes_.push_back(values->mutable_data());
    }
  });
}

std::span<uint8_t> PendingBatch::Genotypes(int64_t i) {
  return {genotypes_ + static_cast<size_t>(i) * sample_bytes_, sample_bytes_};
}

void PendingBatch::SetCondition(int64_t i, int label, std::span<const double> phenotypes) {
  if (labels_ != nullptr) labels_[i] = static_cast<uint32_t>(label);
  for (size_t k = 0; k < phenotypes_.size(); ++k) phenotypes_[k][i] = phenotypes[k];
}

void PendingBatch::Seal() { message_.set_crc32c(Crc32c(message_.genotypes())); }

GenerationJob::GenerationJob(JobSpec spec, int64_t ring_samples, std::shared_ptr<std::atomic<int64_t>> live)
    : spec_(std::move(spec)), ring_samples_(ring_samples), live_(std::move(live)) {
  live_->fetch_add(1);
}

GenerationJob::~GenerationJob() { live_->fetch_sub(1); }

int64_t GenerationJob::Room(int64_t most) const {
  if (ended_) return 0;
  return std::min({most, spec_.plan.sample_count() - cursor_, ring_samples_ - (cursor_ - popped_)});
}

int64_t GenerationJob::Runnable(int64_t tile) const {
  const int64_t room = Room(tile);
  return room == std::min(tile, spec_.plan.sample_count() - cursor_) ? room : 0;
}

}  // namespace genoserve
