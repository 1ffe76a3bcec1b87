#include "trainer/objective/principal_components.h"

#include <c10/core/GradMode.h>

#include <algorithm>

#include "trainer/objective/standardised_codes.h"
#include "trainer/objective/sure_correlations.h"

namespace genoserve {

int64_t StartingComponents(int64_t rank, int64_t rows, int64_t variants) {
  constexpr int64_t kRowsPerComponent = 16;
  return std::max<int64_t>(1, std::min({rank, rows / kRowsPerComponent, variants}));
}

PrincipalComponents FindComponents(const GenotypeMatrix& genotypes, const std::vector<int64_t>& groups,
                                   const at::Tensor& means, const at::Tensor& deviations, int64_t count,
                                   TrainingNoise& noise) {
  const c10::NoGradGuard no_grad;
  const StandardisedCodes z(genotypes, groups, means, deviations);
  const SureCorrelations correlations(z, {}, noise);
  const auto [directions, values] =
      FindLeading([&](const at::Tensor& x) { return correlations.Times(x); }, z.variants(), count, noise);
  const at::Tensor variances = values.clamp_min(0);
  at::Tensor scores = z.Times(directions);
  scores = scores / at::sqrt(at::mean(scores * scores, 0)).clamp_min(1e-6);
  return {scores, directions * at::sqrt(variances)};
}

}  // namespace genoserve
