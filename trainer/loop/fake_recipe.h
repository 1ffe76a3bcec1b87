// A recipe without a network, for tests of the loop: each step takes a second of a fake clock.
#pragma once

#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "core/base/clock.h"
#include "trainer/objective/recipe.h"

namespace genoserve {

/// Counts its steps; its loss is the number of the step. Step `fails_at` is an error.
class FakeRecipe final : public Recipe {
 public:
  explicit FakeRecipe(FakeClock& clock, int64_t fails_at = -1) : clock_(clock), fails_at_(fails_at) {}

  absl::StatusOr<Losses> Step() override {
    if (steps_ + 1 == fails_at_) return absl::InternalError("the loss is not finite");
    clock_.Advance(absl::Seconds(1));
    ++steps_;
    return Losses{{"loss", static_cast<double>(steps_)}};
  }
  int64_t steps() const override { return steps_; }
  absl::StatusOr<std::string> SaveState() const override { return absl::StrCat(steps_); }
  absl::Status RestoreState(absl::string_view state) override {
    return absl::SimpleAtoi(state, &steps_) ? absl::OkStatus() : absl::InvalidArgumentError("no number");
  }
  void Recover(int attempt) override { attempt_ = attempt; }
  int attempt() const { return attempt_; }
  absl::StatusOr<TensorMap> Export() const override { return TensorMap(); }

 private:
  FakeClock& clock_;
  const int64_t fails_at_;
  int64_t steps_ = 0;
  int attempt_ = 0;
};

}  // namespace genoserve
