// A thread of low priority that runs what it is given, one after another.
#pragma once

#include <deque>
#include <functional>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace genoserve {

/// Thread-safe. Loading runs here, so that it takes no processor time from streams that want it.
class BackgroundThread {
 public:
  BackgroundThread();
  /// Runs what has been posted to its end.
  ~BackgroundThread();

  /// Runs the task after all that were posted before it. Must not be called by a task of the destructor's last round.
  void Post(std::function<void()> task);

 private:
  void Run();

  absl::Mutex mutex_;
  std::deque<std::function<void()>> tasks_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace genoserve
