// The work of one forward pass.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "core/genotype/genotype_matrix.h"
#include "core/model/generator.h"
#include "server/cohort/row_encoder.h"
#include "server/scheduler/generation_job.h"

namespace genoserve {

/// Samples of jobs of one kind that are generated together, with the buffers that a worker keeps from tile to tile.
/// Belongs to one worker at a time.
class Tile {
 public:
  /// Samples [first, first + count) of the cohort, all of one batch.
  struct Slice {
    std::shared_ptr<GenerationJob> job;
    std::shared_ptr<PendingBatch> batch;
    int64_t first;
    int64_t count;
  };

  /// What a principal was charged for samples of the tile before anybody knew how long it takes.
  struct Charge {
    PrincipalShare* principal;
    JobClass turn;
    int64_t samples;
    double seconds;
  };

  const std::vector<Slice>& slices() const { return slices_; }
  const std::vector<Charge>& charges() const { return charges_; }
  int64_t samples() const { return samples_; }

  void Add(Slice slice);
  void AddCharge(const Charge& charge) { charges_.push_back(charge); }
  /// Lets go of the jobs, and perhaps of their versions.
  void Clear();

  /// Generates the samples, writes them into their batches and seals the batches that this completes. Errors are those
  /// of Generator::Generate. Needs no lock; the tile must not be empty.
  absl::Status Generate();
  /// The batches that Generate completed, each with the slice that did it.
  const std::vector<const Slice*>& completed() const { return completed_; }

 private:
  std::vector<Slice> slices_;
  std::vector<Charge> charges_;
  std::vector<const Slice*> completed_;
  int64_t samples_ = 0;
  std::vector<SampleSpec> specs_;
  std::vector<double> phenotypes_;
  GenotypeMatrix rows_;
  RowEncoder::Scratch scratch_;
};

}  // namespace genoserve
