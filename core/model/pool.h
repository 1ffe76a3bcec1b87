// Buffers that calls take and give back, so that the steady state allocates nothing.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace genoserve {

/// Holds as many objects as were ever in use at once. Thread-safe.
template <class T>
class Pool {
 public:
  /// Has an object for as long as it lives; the pool must outlive it.
  class Lease {
   public:
    Lease(Pool& pool, std::unique_ptr<T> object) : pool_(pool), object_(std::move(object)) {}
    ~Lease() { pool_.Return(std::move(object_)); }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;

    T& operator*() const { return *object_; }
    T* operator->() const { return object_.get(); }

   private:
    Pool& pool_;
    std::unique_ptr<T> object_;
  };

  /// The object given back last, or a new one where none is free.
  Lease Take() {
    {
      const absl::MutexLock lock(&mutex_);
      if (!free_.empty()) {
        std::unique_ptr<T> object = std::move(free_.back());
        free_.pop_back();
        return Lease(*this, std::move(object));
      }
    }
    return Lease(*this, std::make_unique<T>());
  }

 private:
  void Return(std::unique_ptr<T> object) {
    const absl::MutexLock lock(&mutex_);
    free_.push_back(std::move(object));
  }

  absl::Mutex mutex_;
  std::vector<std::unique_ptr<T>> free_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace genoserve
