#include "core/kernels/latent.h"

namespace genoserve {

void FillLatent(const PhiloxStream& stream, std::span<float> out) { stream.FillNormal(out); }

}  // namespace genoserve
