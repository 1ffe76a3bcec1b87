// A recipe without a network, for tests of the loop: each step takes a second of a fake clock.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/base/clock.h"
#include "trainer/objective/recipe.h"

namespace genoserve {

/// Counts its steps. Its loss is the number of the step, its one weight too.
class FakeRecipe final : public Recipe {
 public:
  /// What a step does beside counting, if anything; told its number and the attempt of Recover.
  using Fault = std::function<absl::Status(int64_t step, int attempt)>;

  explicit FakeRecipe(FakeClock& clock, Fault fault = {}) : clock_(clock), fault_(std::move(fault)) {}

  absl::StatusOr<Losses> Step() override {
    clock_.Advance(absl::Seconds(1));
    ++steps_;
    const absl::Status status = fault_ ? fault_(steps_, attempt_) : absl::OkStatus();
    if (!status.ok()) return status;
    return Losses{{"loss", static_cast<double>(steps_)}};
  }
  int64_t steps() const override { return steps_; }
  absl::StatusOr<std::string> SaveState() const override { return absl::StrCat(steps_, " ", attempt_); }
  absl::Status RestoreState(absl::string_view state) override {
    const std::vector<std::string> numbers = absl::StrSplit(state, ' ');
    const bool read =
        numbers.size() == 2 && absl::SimpleAtoi(numbers[0], &steps_) && absl::SimpleAtoi(numbers[1], &attempt_);
    return read ? absl::OkStatus() : absl::InvalidArgumentError("no two numbers");
  }
  void Recover(int attempt) override { attempt_ = attempt; }
  int attempt() const { return attempt_; }
  absl::StatusOr<TensorMap> Export() const override {
    return TensorMap{{"weight", {{1}, {static_cast<float>(steps_)}}}};
  }

 private:
  FakeClock& clock_;
  const Fault fault_;
  int64_t steps_ = 0;
  int attempt_ = 0;
};

}  // namespace genoserve
