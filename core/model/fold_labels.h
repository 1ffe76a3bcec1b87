// What both networks do with acgan's repeated labels.
#pragma once

#include "core/artifact/safetensors.h"
#include "core/model/weights.h"

namespace genoserve {

/// The first weight of acgan, on [label x repeats, z, label x repeats], as one on [z, label]: the columns that see the
/// same one-hot are added, in double precision.
Tensor FoldLabels(const Tensor& weight, const GeneratorShape& shape, int repeats);

}  // namespace genoserve
