// The group over LibTorch's c10d.
#include <ATen/ATen.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/status.h"
#include "trainer/distributed/nccl_backend.h"
#include "trainer/distributed/process_group.h"

namespace genoserve {
namespace {

// The state of a large run goes out in parts of this size.
constexpr size_t kBroadcastPart = size_t{64} << 20;

// The first line of what went wrong, without the place in LibTorch's sources that it begins with.
std::string FirstLine(const std::exception& error) {
  const auto* ours = dynamic_cast<const c10::Error*>(&error);
  std::string text = ours != nullptr ? ours->what_without_backtrace() : error.what();
  text = text.substr(0, text.find('\n'));
  const size_t place = text[0] == '[' ? text.find("] ") : std::string::npos;
  return place == std::string::npos ? text : text.substr(place + 2);
}

class C10dGroup final : public ProcessGroup {
 public:
  C10dGroup(const ProcessPlace& place, c10::intrusive_ptr<c10d::Backend> cpu, c10::intrusive_ptr<c10d::Backend> gpu)
      : place_(place), cpu_(std::move(cpu)), gpu_(std::move(gpu)) {}

  int rank() const override { return place_.rank; }
  int size() const override { return place_.size; }
  absl::Status status() const override { return status_; }

  absl::Status Sum(at::Tensor& tensor) override {
    return Together([&] {
      std::vector<at::Tensor> tensors = {tensor};
      (tensor.is_cuda() && gpu_ ? gpu_ : cpu_)->allreduce(tensors)->wait();
    });
  }

  absl::StatusOr<int> Largest(int mine) override {
    int largest = mine;
    GENOSERVE_RETURN_IF_ERROR(Together([&] {
      std::vector<at::Tensor> tensors = {at::full({1}, mine, at::kInt)};
      c10d::AllreduceOptions options;
      options.reduceOp = c10d::ReduceOp::MAX;
      cpu_->allreduce(tensors, options)->wait();
      largest = tensors[0].item<int>();
    }));
    return largest;
  }

  absl::Status Broadcast(std::string& bytes) override {
    return Together([&] {
      at::Tensor size = at::full({1}, static_cast<int64_t>(bytes.size()), at::kLong);
      BroadcastTensor(size);
      bytes.resize(static_cast<size_t>(size.item<int64_t>()));
      for (size_t first = 0; first < bytes.size(); first += kBroadcastPart) {
        const auto length = static_cast<int64_t>(std::min(kBroadcastPart, bytes.size() - first));
        BroadcastTensor(at::from_blob(bytes.data() + first, {length}, at::kByte));
      }
    });
  }

 private:
  void BroadcastTensor(const at::Tensor& tensor) {
    std::vector<at::Tensor> tensors = {tensor};
    cpu_->broadcast(tensors)->wait();
  }

  absl::Status Together(absl::FunctionRef<void()> body) {
    if (!status_.ok()) return status_;
    try {
      body();
    } catch (const std::exception& error) {
      status_ = absl::UnavailableError(absl::StrFormat(
          "process %d of %d lost the others: %s; once all can run again, start all of them with --resume", place_.rank,
          place_.size, FirstLine(error)));
    }
    return status_;
  }

  const ProcessPlace place_;
  const c10::intrusive_ptr<c10d::Backend> cpu_;
  const c10::intrusive_ptr<c10d::Backend> gpu_;  // null where there is no NCCL
  absl::Status status_;
};

c10::intrusive_ptr<c10d::Store> MakeStore(const ProcessPlace& place) {
  c10d::TCPStoreOptions options;
  options.port = place.port;
  options.isServer = place.rank == 0 && !place.agent_store;
  options.numWorkers = place.size;
  options.waitWorkers = !place.agent_store;
  options.timeout = absl::ToChronoMilliseconds(place.timeout);
  const auto store = c10::make_intrusive<c10d::TCPStore>(place.address, options);
  return c10::make_intrusive<c10d::PrefixStore>(absl::StrCat("genoserve/", place.attempt), store);
}

}  // namespace

absl::StatusOr<std::unique_ptr<ProcessGroup>> JoinProcessGroup(const ProcessPlace& place, bool gpus) {
  if (place.size == 1) return MakeLoneProcess();
  // Of c10d's retries while the others start, which are told at length otherwise.
  ::setenv("TORCH_CPP_LOG_LEVEL", "ERROR", 0);
  const std::chrono::milliseconds timeout = absl::ToChronoMilliseconds(place.timeout);
  try {
    const c10::intrusive_ptr<c10d::Store> store = MakeStore(place);
    store->setTimeout(timeout);
    c10::intrusive_ptr<c10d::Backend> cpu = c10::make_intrusive<c10d::ProcessGroupGloo>(
        c10::make_intrusive<c10d::PrefixStore>("cpu", store), place.rank, place.size,
        c10d::ProcessGroupGloo::Options::create_default(timeout));
    c10::intrusive_ptr<c10d::Backend> gpu;
    if (gpus) {
      gpu = MakeNcclBackend(c10::make_intrusive<c10d::PrefixStore>("gpu", store), place.rank, place.size, timeout);
    }
    auto group = std::make_unique<C10dGroup>(place, std::move(cpu), std::move(gpu));
    GENOSERVE_RETURN_IF_ERROR(group->Any(false).status());
    return group;
  } catch (const std::exception& error) {
    return absl::UnavailableError(absl::StrFormat("process %d of %d did not find the others at %s:%d within %s: %s",
                                                  place.rank, place.size, place.address, place.port,
                                                  absl::FormatDuration(place.timeout), FirstLine(error)));
  }
}

}  // namespace genoserve
