#include "server/manager/background_thread.h"

#include <sys/resource.h>
#include <unistd.h>

#include <utility>

namespace genoserve {
namespace {

constexpr int kNiceness = 10;  // a tenth of a processor that a worker wants too: less would starve a load

}  // namespace

BackgroundThread::BackgroundThread() : thread_([this] { Run(); }) {}

BackgroundThread::~BackgroundThread() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  thread_.join();
}

void BackgroundThread::Post(std::function<void()> task) {
  absl::MutexLock lock(&mutex_);
  tasks_.push_back(std::move(task));
}

void BackgroundThread::Run() {
  // On Linux this sets the niceness of the calling thread alone; where it is refused, loads run at normal priority.
  (void)setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), kNiceness);
  while (true) {
    std::function<void()> task;
    {
      absl::MutexLock lock(&mutex_);
      mutex_.Await(absl::Condition(
          +[](BackgroundThread* self)
               ABSL_EXCLUSIVE_LOCKS_REQUIRED(self->mutex_) { return self->stopping_ || !self->tasks_.empty(); },
          this));
      if (tasks_.empty()) return;
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
    task();
  }
}

}  // namespace genoserve
