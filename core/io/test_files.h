// What the tests of this room share: a folder of their own, files in it, and other people's programs run on them.
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace genoserve {

/// A test with an empty folder of its own.
class FolderTest : public testing::Test {
 protected:
  void SetUp() override {
    const testing::TestInfo& info = *testing::UnitTest::GetInstance()->current_test_info();
    std::string name = std::string(info.test_suite_name()) + "." + info.name() + ".XXXXXX";
    for (char& c : name) c = c == '/' ? '_' : c;
    std::string folder = std::filesystem::path(testing::TempDir()) / ("genoserve_io." + name);
    ASSERT_NE(::mkdtemp(folder.data()), nullptr);
    folder_ = folder;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  /// The path of a file in the folder.
  std::string Path(const std::string& name) const { return (folder_ / name).string(); }

  /// Writes a file and returns its path.
  std::string Write(const std::string& name, absl::string_view bytes) const {
    std::ofstream(Path(name), std::ios::binary) << bytes;
    return Path(name);
  }

  /// All bytes of a file.
  static std::string Read(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  /// The names of the files in the folder, sorted.
  std::vector<std::string> Names() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder_)) names.push_back(entry.path().filename());
    std::sort(names.begin(), names.end());
    return names;
  }

  /// Runs a command line in the folder and returns what it printed; the test fails where it exits with another status.
  std::string Run(const std::string& command, int expected_status = 0) const {
    const std::string line = "cd '" + folder_.string() + "' && { " + command + " ; } 2>&1";
    FILE* const pipe = ::popen(line.c_str(), "r");
    std::string output;
    char buffer[4096];
    for (size_t n = 0; (n = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;) output.append(buffer, n);
    const int status = ::pclose(pipe);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == expected_status) << command << "\n" << output;
    return output;
  }

  std::filesystem::path folder_;
};

/// The message of a status, as a std::string.
inline std::string Message(const absl::Status& status) { return std::string(status.message()); }

}  // namespace genoserve
