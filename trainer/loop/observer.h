// What is told about a training while it runs.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "trainer/objective/recipe.h"

namespace genoserve {

/// Figures of one validation by name, such as {"coverage.f1", 0.78}, in the order of a report.
using ValidationFigures = std::vector<std::pair<std::string, double>>;

/// Something that watches a training: a progress line, metrics, an event file. The loop calls from one thread and in
/// order. Observers never fail: what they cannot write they say once and leave out.
class TrainingObserver {
 public:
  virtual ~TrainingObserver() = default;

  /// `step` steps are done; `losses` are those of the last one.
  virtual void OnStep(int64_t /*step*/, const Losses& /*losses*/) {}
  /// The generator was validated after `step` steps. `best` where none before had as good a score.
  virtual void OnValidation(int64_t /*step*/, double /*score*/, const ValidationFigures& /*figures*/, bool /*best*/) {}
  /// A checkpoint of `bytes` bytes was written in `took`.
  virtual void OnCheckpoint(int64_t /*step*/, int64_t /*bytes*/, absl::Duration /*took*/) {}
  /// The run went back to an earlier step because it diverged.
  virtual void OnRollBack(int64_t /*from_step*/, int64_t /*to_step*/, absl::string_view /*why*/) {}
  /// A line for people.
  virtual void OnMessage(absl::string_view /*line*/) {}
  /// The loop ended; nothing follows.
  virtual void OnEnd() {}
};

}  // namespace genoserve
