// genoserve fetch: a cohort from servers into files.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "client/cli/interrupt.h"
#include "client/cli/output.h"
#include "client/cli/simulated_trait.h"
#include "client/lib/client_options.h"

namespace genoserve {

/// The arguments of fetch, as given.
struct FetchArguments {
  std::string model;                    ///< NAME or NAME@VERSION
  std::optional<int64_t> samples;       ///< -n
  std::string populations;              ///< --pop
  std::vector<std::string> phenotypes;  ///< --pheno, any number
  std::string pheno_file;               ///< --pheno-file
  bool extrapolate = false;
  std::string regions;       ///< -r
  std::string regions_file;  ///< -R
  std::optional<uint64_t> seed;
  std::string shard;  ///< I/N
  OutputArguments output;
  TraitArguments trait;
  std::string preset;           ///< --preset
  int32_t max_batch_bytes = 0;  ///< 0 = the server's default
  int32_t parallel = 1;         ///< ranges that are fetched at once
  bool dry_run = false;
  bool quiet = false;
  bool force = false;
};

/// Fetches a cohort. Files appear under their final names when all of it has come and been found right; what had come
/// by an early end stays beside them, and the same arguments go on with it. The status holds its exit code as
/// ExitCodeOf reads it.
absl::Status Fetch(const FetchArguments& arguments, ClientOptions options, Interrupt* interrupt);

}  // namespace genoserve
