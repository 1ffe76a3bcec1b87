// The program run against a real server by a test.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "client/testing/served_models.h"
#include "client/testing/subprocess.h"
#include "core/base/file.h"

namespace genoserve {

/// Runs genoserve, and the tools that its users have, in an empty folder.
class EndToEndTest : public ServedModelsTest {
 protected:
  // Runs genoserve; its server is the test's unless an argument names another one.
  ProgramResult Run(const std::vector<std::string>& arguments, const std::string& out = "") {
    return RunProgram(Command(arguments), {{"GENOSERVE_SERVER", address()}}, out);
  }
  ProgramResult RunAt(const std::string& address, const std::vector<std::string>& arguments) {
    return RunProgram(Command(arguments), {{"GENOSERVE_SERVER", address}});
  }
  static std::vector<std::string> Command(const std::vector<std::string>& arguments) {
    std::vector<std::string> command = {GENOSERVE_PROGRAM};
    command.insert(command.end(), arguments.begin(), arguments.end());
    return command;
  }

  // A tool that must succeed; returns what it prints.
  static std::string Tool(const std::vector<std::string>& command) {
    const ProgramResult result = RunProgram(command);
    EXPECT_EQ(result.exit_code, 0) << command[0] << ": " << result.err;
    return result.out;
  }
  // Contig, position and genotypes of all variants of a VCF or BCF.
  static std::string Genotypes(const std::string& path) {
    return Tool({"bcftools", "query", "-f", "%CHROM\t%POS\t%REF\t%ALT[\t%GT]\n", path});
  }
  std::string Path(const std::string& name) const { return JoinPath(out_folder(), name); }
  std::string Text(const std::string& name) const {
    return FileSystem::Posix().ReadFile(Path(name), uint64_t{1} << 30).value_or("");
  }
  std::vector<std::string> Names() const { return *FileSystem::Posix().ListFolder(out_folder()); }
};

}  // namespace genoserve
