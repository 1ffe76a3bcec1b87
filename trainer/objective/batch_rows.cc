#include "trainer/objective/batch_rows.h"

#include <algorithm>
#include <numeric>

namespace genoserve {

BatchRows BatchRows::All(int64_t total) { return Part(total, 0, 1); }

BatchRows BatchRows::Part(int64_t total, int rank, int size) {
  const int64_t first = total * rank / size;
  BatchRows part{std::vector<int64_t>(static_cast<size_t>(total * (rank + 1) / size - first)), total};
  std::iota(part.rows.begin(), part.rows.end(), first);
  return part;
}

bool BatchRows::all() const {
  if (count() != total) return false;
  for (int64_t i = 0; i < total; ++i) {
    if (rows[static_cast<size_t>(i)] != i) return false;
  }
  return true;
}

at::Tensor BatchRows::Of(const at::Tensor& whole) const {
  if (all()) return whole;
  at::Tensor indices = at::empty({count()}, at::kLong);
  std::copy(rows.begin(), rows.end(), indices.mutable_data_ptr<int64_t>());
  return whole.index_select(0, indices.to(whole.device()));
}

}  // namespace genoserve
