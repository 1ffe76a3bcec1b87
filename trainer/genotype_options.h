// The options that say which genotype files to read; the same in all commands.
#pragma once

#include <CLI/App.hpp>
#include <string>

#include "absl/status/statusor.h"
#include "core/io/genotype_source.h"

namespace genoserve {

/// What the user gave.
struct GenotypeArguments {
  std::string vcf;
  std::string bfile;
  std::string hapt;
  std::string legend;
};

/// Adds --vcf, --bfile, --hapt and --legend to a command, in the group "Input".
void AddGenotypeOptions(CLI::App& command, GenotypeArguments& arguments);

/// The one source that was given. INVALID_ARGUMENT where there is none, more than one, or --hapt without --legend.
absl::StatusOr<GenotypeSource> SourceOf(const GenotypeArguments& arguments);

}  // namespace genoserve
