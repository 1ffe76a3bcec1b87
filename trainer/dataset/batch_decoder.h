// Mini-batches of real rows, decoded in another thread while the previous step runs.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "core/genotype/genotype_matrix.h"

namespace genoserve {

/// One decoded batch.
struct DecodedBatch {
  std::vector<size_t> rows;  ///< of the matrix, in their order
  std::vector<float> codes;  ///< [rows, variants], row-major: 0, 1 and of diploid genotypes 2
};

/// Decodes the batches that come next, at most `ahead` of them, into memory that is used again and again. What a batch
/// holds depends on its index alone. For one caller; the destructor ends the thread.
class BatchDecoder {
 public:
  /// `rows_of` gives the rows of a batch by its index, as BatchOrder::Rows does; it is called from the decoder's thread
  /// only. The matrix must outlive the decoder. `ahead` is at least 1.
  BatchDecoder(const GenotypeMatrix& genotypes, std::function<std::vector<size_t>(int64_t)> rows_of, size_t ahead);
  ~BatchDecoder();
  BatchDecoder(const BatchDecoder&) = delete;
  BatchDecoder& operator=(const BatchDecoder&) = delete;

  /// Batch `index`, once it is decoded; it stays until the next call. Meant for indices that ascend by one; the decoder
  /// begins anew at any other, as after a restored state.
  const DecodedBatch& Get(int64_t index);

 private:
  void Run();
  DecodedBatch& Slot(int64_t index) { return slots_[static_cast<size_t>(index) % slots_.size()]; }

  const GenotypeMatrix& genotypes_;
  const std::function<std::vector<size_t>(int64_t)> rows_of_;
  std::vector<DecodedBatch> slots_;  // one is the caller's, the others are ahead of it
  std::mutex mutex_;                 // of what follows
  std::condition_variable changed_;
  bool started_ = false;  // by the first Get
  bool stop_ = false;
  int64_t taken_ = 0;    // the caller's batch
  int64_t decoded_ = 0;  // batches [taken_, decoded_) are in their slots
  int64_t epoch_ = 0;    // counts beginnings anew: what was being decoded before one is dropped
  std::thread thread_;
};

}  // namespace genoserve
