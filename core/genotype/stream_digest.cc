#include "core/genotype/stream_digest.h"

#include <algorithm>
#include <utility>

namespace genoserve {

StreamDigest::StreamDigest(int64_t first_sample, int64_t sample_bytes, std::vector<Sha256Digest> blocks)
    : next_sample_(first_sample), sample_bytes_(sample_bytes), blocks_(std::move(blocks)) {}

void StreamDigest::Update(std::span<const uint8_t> samples) {
  while (!samples.empty()) {
    const int64_t have = static_cast<int64_t>(samples.size()) / sample_bytes_;
    const int64_t take = std::min(have, kDigestBlock - next_sample_ % kDigestBlock);
    const auto bytes = static_cast<size_t>(take * sample_bytes_);
    block_.Update(samples.first(bytes));
    samples = samples.subspan(bytes);
    next_sample_ += take;
    block_begun_ = next_sample_ % kDigestBlock != 0;
    if (!block_begun_) blocks_.push_back(block_.Finish());
  }
}

Sha256Digest StreamDigest::Finish() {
  if (block_begun_) blocks_.push_back(block_.Finish());
  block_begun_ = false;
  return OfBlocks(blocks_);
}

Sha256Digest StreamDigest::OfBlocks(std::span<const Sha256Digest> blocks) {
  Sha256 sha;
  for (const Sha256Digest& block : blocks) sha.Update(block);
  return sha.Finish();
}

}  // namespace genoserve
