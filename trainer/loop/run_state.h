// What a training run knows beside its recipe: how far it is, where it can go back to, and the best weights so far.
#pragma once

#include <string>

#include "genoserve/v1/checkpoint.pb.h"

namespace genoserve {

/// The loop changes it, a checkpoint keeps it. All that decides how the run goes on is in it, so that a resumed run
/// chooses as an undisturbed one does.
struct RunState {
  v1::LoopState loop;
  /// Recipe::SaveState at the last point where all was well: the start, or a validation. The run goes back there if it
  /// diverges.
  std::string good;
  /// Recipe::Export at loop.best_step() as safetensors; empty while there is no validation.
  std::string best;
};

}  // namespace genoserve
