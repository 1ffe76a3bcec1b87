// The digest of a stream of samples: SHA-256 over the SHA-256s of blocks, so that shards and resumes need no rehash.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/base/sha256.h"

namespace genoserve {

/// Block k holds samples kDigestBlock * k to kDigestBlock * (k + 1) - 1 of the cohort.
inline constexpr int64_t kDigestBlock = 1024;

/// Digests the genotype bytes of samples in order, as CohortFooter.sha256 defines it. Not thread-safe.
class StreamDigest {
 public:
  /// `first_sample` is the cohort index of the first sample; `sample_bytes` the bytes of one sample, all rows. Where
  /// the samples go on after others whose digests are `blocks`, it must be at the start of a block.
  StreamDigest(int64_t first_sample, int64_t sample_bytes, std::vector<Sha256Digest> blocks = {});

  /// Adds whole samples.
  void Update(std::span<const uint8_t> samples);

  /// The digests of all blocks that are done: those that were given and those since, and once Finish was called the
  /// last one too.
  const std::vector<Sha256Digest>& blocks() const { return blocks_; }

  /// The digest of all samples so far. Call once, last.
  Sha256Digest Finish();

  /// The digest of the samples whose blocks have these digests.
  static Sha256Digest OfBlocks(std::span<const Sha256Digest> blocks);

 private:
  int64_t next_sample_;
  int64_t sample_bytes_;
  bool block_begun_ = false;
  Sha256 block_;
  std::vector<Sha256Digest> blocks_;
};

}  // namespace genoserve
