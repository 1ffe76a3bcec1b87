#include "server/scheduler/tile.h"

#include <span>
#include <utility>

#include "core/base/status.h"

namespace genoserve {

void Tile::Add(Slice slice) {
  samples_ += slice.count;
  slices_.push_back(std::move(slice));
}

void Tile::Clear() {
  completed_.clear();
  charges_.clear();
  slices_.clear();
  samples_ = 0;
}

absl::Status Tile::Generate() {
  const GenerationJob& any = *slices_.front().job;
  const Generator& generator = *any.spec().version->generator;
  const size_t phenotypes = any.spec().plan.phenotype_count();
  const auto samples = static_cast<size_t>(samples_);
  specs_.resize(samples);
  phenotypes_.resize(samples * phenotypes);
  size_t place = 0;
  for (const Slice& slice : slices_) {
    const JobSpec& spec = slice.job->spec();
    slice.batch->Allocate(spec);
    for (int64_t sample = slice.first; sample < slice.first + slice.count; ++sample, ++place) {
      const std::span<double> values(phenotypes_.data() + place * phenotypes, phenotypes);
      const int label = spec.plan.Label(spec.seed, sample);
      spec.plan.Phenotypes(spec.seed, sample, values);
      specs_[place] = {spec.seed, static_cast<uint64_t>(sample), label, values};
      slice.batch->SetCondition(sample - slice.batch->first(), label, values);
    }
  }
  rows_.Resize(generator.packing(), samples * RowsPerSample(generator.packing()), generator.variant_count());
  GENOSERVE_RETURN_IF_ERROR(generator.Generate(specs_, any.kind()->blocks, rows_));
  place = 0;
  for (const Slice& slice : slices_) {
    for (int64_t sample = slice.first; sample < slice.first + slice.count; ++sample, ++place) {
      const std::span<uint8_t> bytes = slice.batch->Genotypes(sample - slice.batch->first());
      slice.job->spec().encoder.Encode(rows_, place, bytes, scratch_);
    }
  }
  for (const Slice& slice : slices_) {
    if (!slice.batch->Deliver(slice.count)) continue;
    slice.batch->Seal();
    completed_.push_back(&slice);
  }
  return absl::OkStatus();
}

}  // namespace genoserve
