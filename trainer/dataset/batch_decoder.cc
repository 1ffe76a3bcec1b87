#include "trainer/dataset/batch_decoder.h"

#include <span>
#include <utility>

namespace genoserve {

BatchDecoder::BatchDecoder(const GenotypeMatrix& genotypes, std::function<std::vector<size_t>(int64_t)> rows_of,
                           size_t ahead)
    : genotypes_(genotypes), rows_of_(std::move(rows_of)), slots_(ahead + 1), thread_([this] { Run(); }) {}

BatchDecoder::~BatchDecoder() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

const DecodedBatch& BatchDecoder::Get(int64_t index) {
  std::unique_lock<std::mutex> lock(mutex_);
  if (!started_ || index < taken_ || index > decoded_) {
    started_ = true;
    decoded_ = index;
    ++epoch_;
  }
  taken_ = index;
  changed_.notify_all();
  changed_.wait(lock, [&] { return decoded_ > index; });
  return Slot(index);
}

void BatchDecoder::Run() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] { return stop_ || (started_ && decoded_ - taken_ < static_cast<int64_t>(slots_.size())); });
    if (stop_) return;
    const int64_t index = decoded_;
    const int64_t epoch = epoch_;
    DecodedBatch& batch = Slot(index);
    lock.unlock();
    batch.rows = rows_of_(index);
    const size_t variants = genotypes_.variants();
    batch.codes.resize(batch.rows.size() * variants);
    for (size_t i = 0; i < batch.rows.size(); ++i) {
      UnpackFloats(genotypes_.packing(), genotypes_.Row(batch.rows[i]),
                   std::span(batch.codes).subspan(i * variants, variants));
    }
    lock.lock();
    if (epoch != epoch_) continue;
    ++decoded_;
    changed_.notify_all();
  }
}

}  // namespace genoserve
