#include "client/lib/sample_conditions.h"

namespace genoserve {
namespace {

template <typename Field>
void Slice(int64_t first, int64_t count, Field* field) {
  if (field->empty()) return;
  field->erase(field->begin() + static_cast<int>(first + count), field->end());
  field->erase(field->begin(), field->begin() + static_cast<int>(first));
}

}  // namespace

int64_t SampleCountOf(const v1::SampleConditions& conditions) {
  int64_t samples = conditions.labels_size();
  for (const v1::SamplePhenotype& column : conditions.phenotypes()) {
    const int64_t values = column.numbers_size() + column.levels_size();
    if (samples == 0) samples = values;
    if (values != samples) return -1;
  }
  return samples;
}

void SliceSamples(int64_t first, int64_t count, v1::SampleConditions* conditions) {
  Slice(first, count, conditions->mutable_labels());
  for (v1::SamplePhenotype& column : *conditions->mutable_phenotypes()) {
    Slice(first, count, column.mutable_numbers());
    Slice(first, count, column.mutable_levels());
  }
}

}  // namespace genoserve
