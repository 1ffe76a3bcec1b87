// A generator whose precision may have been measured.
#pragma once

#include <optional>

#include "core/model/generator.h"

namespace genoserve {

/// Keeps what a measurement found.
class MeasuredGenerator : public Generator {
 public:
  std::optional<PrecisionEffect> precision_effect() const final { return precision_effect_; }

  /// Not thread-safe.
  void set_precision_effect(const PrecisionEffect& effect) { precision_effect_ = effect; }

 private:
  std::optional<PrecisionEffect> precision_effect_;
};

}  // namespace genoserve
