// Minibatches of real rows, decoded from the packed matrix.
#pragma once

#include <ATen/ATen.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/genotype/genotype_matrix.h"
#include "trainer/dataset/batch_decoder.h"
#include "trainer/objective/batch_rows.h"

namespace genoserve {

/// Rows in a random order that changes with each pass over the data; the last rows of a pass that fill no batch are
/// left out of it. Batch `index` is a function of (rows, batch size, seed, index). Not thread-safe.
class BatchOrder {
 public:
  /// A batch larger than the data has all its rows, as often as they fit. With `balanced_labels`, one a row, every
  /// label comes as often as every other, as BalancedOrder has it; empty = every row comes as often as every other.
  BatchOrder(size_t rows, size_t batch_size, uint64_t seed, std::vector<int> balanced_labels = {});

  /// The rows of batch `index`, 0 and up.
  std::vector<size_t> Rows(int64_t index);
  /// Batches of one pass over the data.
  int64_t batches() const { return batches_; }

 private:
  size_t rows_;
  size_t batch_size_;
  uint64_t seed_;
  int64_t batches_;
  int64_t pass_ = -1;
  std::vector<int> balanced_labels_;
  std::vector<size_t> order_;
};

/// The codes of these rows as floats, [rows, variants], on `device`.
at::Tensor DecodeRows(const GenotypeMatrix& genotypes, const std::vector<size_t>& rows, at::Device device);

/// The codes of the batches of an order, of which a process works on some rows. The next batch is decoded in another
/// thread while a step runs. What a batch holds depends on its index alone.
class RealBatches {
 public:
  /// `rows` are those of each batch. The genotypes must outlive it.
  RealBatches(const GenotypeMatrix& genotypes, const BatchOrder& order, const BatchRows& rows);

  /// The codes of the rows in batch `index` as floats, [rows.count(), variants], on `device`. On the CPU they stay
  /// until the next call only.
  at::Tensor Batch(int64_t index, at::Device device);
  /// Which rows of the genotypes they are, by the same rule.
  const std::vector<size_t>& Rows(int64_t index) { return decoder_.Get(index).rows; }

 private:
  int64_t count_;
  int64_t variants_;
  BatchDecoder decoder_;
};

}  // namespace genoserve
