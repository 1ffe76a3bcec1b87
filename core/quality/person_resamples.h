// Bootstrap resamples of people, who come in families and labels.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace genoserve {

/// How often each person of a cohort is drawn in each of kReplicates resamples. What is resampled, with replacement, is
/// families, since relatives tell much the same twice: among 1,451 mice of some hundred families, intervals over single
/// mice were two to five times too narrow. Each label is resampled on its own and gives as many families as it has; a
/// family counts to the label of its first person. Const methods are thread-safe.
class PersonResamples {
 public:
  /// `labels` and `families` give one number a person; an empty one means that all have the same label, or that none
  /// are related. `stream` tells apart resamples of different cohorts, which are drawn by Philox with the seed.
  PersonResamples(size_t people, std::span<const int> labels, std::span<const int> families, uint64_t seed,
                  uint32_t stream);

  /// Once each: what a figure's value is over.
  std::span<const uint32_t> All() const { return all_; }
  /// Times of each person in a resample.
  std::span<const uint32_t> Replicate(size_t replicate) const {
    return {times_.data() + replicate * all_.size(), all_.size()};
  }

 private:
  std::vector<uint32_t> all_;
  std::vector<uint32_t> times_;  // [replicate][person]
};

}  // namespace genoserve
