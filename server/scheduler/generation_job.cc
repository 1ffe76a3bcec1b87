#include "server/scheduler/generation_job.h"

#include <algorithm>
#include <utility>

#include "core/base/crc32c.h"

namespace genoserve {
namespace {

constexpr int64_t kFirstRows = 8;

}  // namespace

PendingBatch::PendingBatch(int64_t first, int64_t count, std::shared_ptr<LiveWork> live)
    : first_(first), count_(count), live_(std::move(live)), missing_(count) {
  live_->batches.fetch_add(1);
}

PendingBatch::~PendingBatch() {
  live_->batches.fetch_sub(1);
  live_->bytes.fetch_sub(bytes_);
}

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
    bytes_ = static_cast<int64_t>(message_.ByteSizeLong());
    live_->bytes.fetch_add(bytes_);
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

GenerationJob::GenerationJob(JobSpec spec, std::shared_ptr<TileKind> kind, JobClass job_class, absl::Time admitted,
                             std::shared_ptr<LiveWork> live)
    : spec_(std::move(spec)), kind_(std::move(kind)), class_(job_class), admitted_(admitted), live_(std::move(live)) {
  live_->jobs.fetch_add(1);
}

GenerationJob::~GenerationJob() { live_->jobs.fetch_sub(1); }

absl::Duration GenerationJob::queued() const {
  const int64_t nanos = queue_nanos_.load();
  return nanos < 0 ? absl::InfiniteDuration() : absl::Nanoseconds(nanos);
}

int64_t GenerationJob::first_samples() const {
  const int64_t all = spec_.plan.sample_count();
  const int64_t first = kFirstRows / static_cast<int64_t>(RowsPerSample(spec_.version->generator->packing()));
  return all <= 4 * first ? all : first;
}

int64_t GenerationJob::BatchEnd(int64_t sample) const {
  const int64_t size = spec_.batch_samples;
  const int64_t head = std::min(first_samples(), size);
  const int64_t end = sample < head ? head : head + ((sample - head) / size + 1) * size;
  return std::min(end, spec_.plan.sample_count());
}

}  // namespace genoserve
