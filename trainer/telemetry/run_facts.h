// What those who watch a training know of it before its first step.
#pragma once

#include <cstdint>
#include <string>

namespace genoserve {

/// A run as it begins.
struct RunFacts {
  std::string model;         ///< the name that it is published under
  std::string arch;          ///< preset
  std::string device;        ///< "cpu" or "cuda"
  std::string code_version;  ///< of the trainer
  int64_t first_step = 0;    ///< steps that a checkpoint brought
  int64_t total_steps = 0;   ///< of the whole run, those included
};

}  // namespace genoserve
