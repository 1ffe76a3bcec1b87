#include "trainer/distributed/global_sum.h"

#include <torch/csrc/autograd/custom_function.h>

#include <stdexcept>
#include <string>

namespace genoserve {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// y = sum over processes of x, so dL/dx = sum over processes of dL/dy: the same operation backwards.
struct SumOverProcesses : public torch::autograd::Function<SumOverProcesses> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, ProcessGroup* group) {
    context->saved_data["group"] = reinterpret_cast<int64_t>(group);
    at::Tensor sum = x.contiguous().clone();
    SumInPlace(*group, sum);
    return sum;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    auto* group = reinterpret_cast<ProcessGroup*>(context->saved_data["group"].toInt());
    return {SumOverProcesses::apply(gradients[0], group), at::Tensor()};
  }
};

}  // namespace

at::Tensor GlobalSum(ProcessGroup& group, const at::Tensor& x) {
  return group.size() == 1 ? x : SumOverProcesses::apply(x, &group);
}

void SumInPlace(ProcessGroup& group, at::Tensor& x) {
  if (const absl::Status status = group.Sum(x); !status.ok()) throw std::runtime_error(std::string(status.message()));
}

}  // namespace genoserve
