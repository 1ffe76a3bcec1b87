// The documents name every figure and every limit.
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "core/quality/catalogue.h"
#include "core/quality/gate.h"

namespace genoserve {
namespace {

TEST(DocsTest, TellOfEachFigureAndLimit) {
  const std::string figures = FileSystem::Posix().ReadFile("docs/figures.md", 1 << 20).value();
  for (const FigureInfo& info : AllFigures()) {
    EXPECT_TRUE(absl::StrContains(figures, absl::StrCat("| `", info.name, "` | ", info.title))) << info.name;
  }
  const std::string quality = FileSystem::Posix().ReadFile("docs/quality.md", 1 << 20).value();
  for (const v1::Limit& limit : DefaultGate().limits()) {
    EXPECT_TRUE(absl::StrContains(quality, absl::StrCat("| `", limit.figure(), "`"))) << limit.figure();
    EXPECT_TRUE(absl::StrContains(quality, limit.why())) << limit.figure();
  }
}

}  // namespace
}  // namespace genoserve
