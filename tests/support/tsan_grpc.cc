// In the preset tsan these functions stand before those of gRPC 1.51 that pass work from thread to thread: Debian's
// gRPC is not compiled with ThreadSanitizer, which sees its locks (cmake/TsanAbseil.cmake) but not the atomics that
// such work is passed by. They do the same, and tell ThreadSanitizer what comes before what.
#include <dlfcn.h>
#include <grpc/grpc.h>
#include <grpcpp/support/callback_common.h>
#include <grpcpp/support/server_callback.h>
#include <sanitizer/tsan_interface.h>

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>

namespace genoserve {

using grpc::internal::CallbackWithStatusTag;
using grpc::internal::CallbackWithSuccessTag;

// Run of a tag, which is private to it.
void RunTag(CallbackWithStatusTag* tag, bool ok);
void RunTag(CallbackWithSuccessTag* tag, bool ok);
template <typename Tag, void (Tag::*kRun)(bool)>
struct TagRunner {
  friend void RunTag(Tag* tag, bool ok) { (tag->*kRun)(ok); }
};
template struct TagRunner<CallbackWithStatusTag, &CallbackWithStatusTag::Run>;
template struct TagRunner<CallbackWithSuccessTag, &CallbackWithSuccessTag::Run>;

// What StaticRun of a tag does, which is inline and therefore gives way to these: gRPC calls it when the operations are
// done that were started with the tag.
void RunStatusTag(grpc_completion_queue_functor* tag, int ok) __asm__(
    "_ZN4grpc8internal21CallbackWithStatusTag9StaticRunEP29grpc_completion_queue_functori");
void RunSuccessTag(grpc_completion_queue_functor* tag, int ok) __asm__(
    "_ZN4grpc8internal22CallbackWithSuccessTag9StaticRunEP29grpc_completion_queue_functori");

void RunStatusTag(grpc_completion_queue_functor* tag, int ok) {
  __tsan_acquire(tag);
  RunTag(static_cast<CallbackWithStatusTag*>(tag), ok != 0);
}

void RunSuccessTag(grpc_completion_queue_functor* tag, int ok) {
  __tsan_acquire(tag);
  RunTag(static_cast<CallbackWithSuccessTag*>(tag), ok != 0);
}

// In place of the executor of gRPC, whose queue is not seen: a thread that does what it is given, in turn.
class Executor {
 public:
  static void Run(std::function<void()> work) {
    static Executor& executor = *new Executor;
    {
      const std::lock_guard lock(executor.mutex_);
      executor.queue_.push_back(std::move(work));
    }
    executor.more_.notify_one();
  }

 private:
  // For the rest of the process, as gRPC's are.
  Executor() {
    std::thread([this] {
      while (true) Take()();
    }).detach();
  }
  std::function<void()> Take() {
    std::unique_lock lock(mutex_);
    more_.wait(lock, [this] { return !queue_.empty(); });
    std::function<void()> work = std::move(queue_.front());
    queue_.pop_front();
    return work;
  }

  std::mutex mutex_;
  std::condition_variable more_;
  std::deque<std::function<void()>> queue_;
};

// The function of gRPC that one of the same name here stands before.
template <typename Function>
Function* Next(Function*, const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

// What calls leave behind when they end, for who waits for the end of a server.
char ended_calls;

}  // namespace genoserve

// Starts operations; `tag` is run when they are done.
extern "C" grpc_call_error grpc_call_start_batch(grpc_call* call, const grpc_op* ops, size_t count, void* tag,
                                                 void* reserved) {
  static const auto start = genoserve::Next(&grpc_call_start_batch, "grpc_call_start_batch");
  if (tag != nullptr) __tsan_release(tag);
  return start(call, ops, count, tag, reserved);
}

// After OnDone, and before the server hears that the call has ended.
extern "C" void grpc_call_unref(grpc_call* call) {
  static const auto unref = genoserve::Next(&grpc_call_unref, "grpc_call_unref");
  __tsan_release(&genoserve::ended_calls);
  unref(call);
}

// The last that Shutdown of a server waits for, when all its calls have ended, is the end of a queue.
extern "C" grpc_event grpc_completion_queue_next(grpc_completion_queue* queue, gpr_timespec deadline, void* reserved) {
  static const auto next = genoserve::Next(&grpc_completion_queue_next, "grpc_completion_queue_next");
  const grpc_event event = next(queue, deadline, reserved);
  if (event.type == GRPC_QUEUE_SHUTDOWN) __tsan_acquire(&genoserve::ended_calls);
  return event;
}

namespace grpc::internal {

// Called when nothing of the call is outstanding any more: what was done comes before OnDone.
void ServerCallbackCall::ScheduleOnDone(bool inline_ondone) {
  callbacks_outstanding_.load(std::memory_order_acquire);
  if (inline_ondone) {
    CallOnDone();
  } else {
    genoserve::Executor::Run([this] { CallOnDone(); });
  }
}

// Called when the call is cancelled and its reactor is there.
void ServerCallbackCall::CallOnCancel(ServerReactor* reactor) {
  on_cancel_conditions_remaining_.load(std::memory_order_acquire);
  if (reactor->InternalInlineable()) {
    reactor->OnCancel();
    return;
  }
  Ref();
  genoserve::Executor::Run([this, reactor] {
    reactor->OnCancel();
    MaybeDone();
  });
}

}  // namespace grpc::internal
