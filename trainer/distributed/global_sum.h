// Sums over all processes that gradients flow through.
#pragma once

#include <ATen/ATen.h>

#include "trainer/distributed/process_group.h"

namespace genoserve {

/// The sum of `x` over all processes, which may be differentiated, and that again. A quantity that depends on the whole
/// batch is the same function of such sums in each process; its gradient then is the sum of all processes' gradients.
/// `x` itself where the process is alone. `group` must outlive the graph. Throws where a process was lost: the group's
/// status tells it.
at::Tensor GlobalSum(ProcessGroup& group, const at::Tensor& x);

/// Sums a float tensor in place; throws as GlobalSum does.
void SumInPlace(ProcessGroup& group, at::Tensor& x);

}  // namespace genoserve
