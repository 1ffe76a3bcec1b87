// genoserve store, as a user runs it, on stores with real artifacts.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/cli/exit_code.h"
#include "client/testing/subprocess.h"
#include "core/artifact/artifact.h"
#include "core/base/count_text.h"
#include "core/base/file.h"
#include "core/store/checkpoint_store.h"
#include "tests/support/artifacts.h"

namespace genoserve {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::Not;

constexpr char kModel[] = "five";

class StoreCommandTest : public testing::Test {
 protected:
  StoreCommandTest() : folder_(NewTestFolder()), store_folder_(JoinPath(folder_, "store")) {
    for (uint64_t seed = 1; seed <= 3; ++seed) PublishTestAcgan(store_folder_, kModel, seed);
    PublishTestWganGp(store_folder_, "mice", 1);
    store_ = *OpenStore(store_folder_, /*create=*/false);
  }
  ~StoreCommandTest() override { FileSystem::Posix().Remove(folder_).IgnoreError(); }

  // Runs `genoserve store` on the store of the test.
  ProgramResult Run(std::vector<std::string> arguments) const { return RunOn(store_folder_, std::move(arguments)); }
  static ProgramResult RunOn(const std::string& store, std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {GENOSERVE_PROGRAM, "store"});
    return RunProgram(arguments, {{"GENOSERVE_STORE", store}});
  }
  // What it says when it succeeds.
  std::string Says(std::vector<std::string> arguments) const {
    const ProgramResult result = Run(std::move(arguments));
    EXPECT_EQ(result.exit_code, kExitOk) << result.err;
    EXPECT_EQ(result.err, "");
    return result.out;
  }
  void ExpectRefused(std::vector<std::string> arguments, ExitCode code, const std::string& why) const {
    const ProgramResult result = Run(arguments);
    EXPECT_EQ(result.exit_code, code) << result.err;
    EXPECT_THAT(result.err, AllOf(MatchesRegex("genoserve: [^\n]*\n"), HasSubstr(why)));
  }
  std::string Path(const std::string& path) const { return JoinPath(store_folder_, path); }
  void Damage(const std::string& path) const {
    std::string bytes = *FileSystem::Posix().ReadFile(Path(path), uint64_t{1} << 30);
    bytes.back() ^= 1;
    ASSERT_TRUE(FileSystem::Posix().WriteFile(Path(path), bytes).ok());
  }

  const std::string folder_;
  const std::string store_folder_;
  std::unique_ptr<CheckpointStore> store_;
};

TEST_F(StoreCommandTest, ListsWhatIsThere) {
  ASSERT_TRUE(store_->SetLabel(kModel, "stable", 2).ok());
  ASSERT_TRUE(store_->SetLabel(kModel, "canary", 3).ok());
  Says({"pin", "five@1"});
  ASSERT_TRUE(FileSystem::Posix().MakeFolder(Path("five/4")).ok());
  const std::string digest = ReadArtifact(*store_, kModel, 3)->digest.substr(0, 12);
  const std::string out = Says({"ls"});
  EXPECT_THAT(out, MatchesRegex("MODEL  VERSION  LABELS    SIZE   PUBLISHED             GATE  DIGEST\n"
                                "five   3        canary    [0-9.]+ kB  +[0-9T:-]+Z  -     " +
                                digest +
                                "\n"
                                "five   2        stable    .*\n"
                                "five   1        .pinned.  .*\n"
                                "mice   1        -         .*\n"
                                "1 unfinished upload, the oldest untouched for 0 min; .*\n"));
  EXPECT_THAT(Says({"ls", "mice"}), AllOf(HasSubstr("mice"), Not(HasSubstr("five"))));
  EXPECT_THAT(Says({"ls", "five@stable"}), AllOf(HasSubstr("five   2"), Not(HasSubstr("five   3"))));
  const auto json = nlohmann::json::parse(Says({"ls", "--json"}));
  EXPECT_EQ(json["versions"].size(), 4u);
  EXPECT_EQ(json["versions"][1]["labels"], nlohmann::json({"stable"}));
  EXPECT_EQ(json["versions"][0]["digest"], ReadArtifact(*store_, kModel, 3)->digest);
  EXPECT_EQ(json["versions"][2]["pinned"], true);
  EXPECT_EQ(json["debris"][0]["path"], "five/4");
}

TEST_F(StoreCommandTest, ListsWhatIsWrong) {
  ASSERT_TRUE(FileSystem::Posix().WriteFile(Path("five/2/manifest.json"), "{").ok());
  ASSERT_TRUE(store_->SetLabel(kModel, "tested", 3).ok());
  ASSERT_TRUE(store_->RemoveVersion(kModel, 3).ok());
  EXPECT_THAT(Says({"ls"}), AllOf(HasSubstr("unreadable"), HasSubstr("five@2: "),
                                  HasSubstr("five: label tested points at version 3, which is not there\n")));
  const std::string empty = JoinPath(folder_, "empty");
  ASSERT_TRUE(FileSystem::Posix().MakeFolder(empty).ok());
  EXPECT_EQ(RunOn(empty, {"ls"}).out, "no models\n");
  EXPECT_EQ(Says({"--store", empty, "ls"}), "no models\n");
  EXPECT_EQ(Says({"ls", "--store", empty}), "no models\n");
}

TEST_F(StoreCommandTest, VerifiesEveryFile) {
  EXPECT_THAT(Says({"verify"}), MatchesRegex("five@1  good, [^\n]*\nfive@2  good, [^\n]*\nfive@3 [^\n]*\nmice@1 .*\n"));
  Damage("five/2/weights.safetensors");
  ASSERT_TRUE(FileSystem::Posix().WriteFile(Path("mice/1/manifest.json"), "{").ok());
  const ProgramResult result = Run({"verify"});
  EXPECT_EQ(result.exit_code, kExitMismatch);
  EXPECT_THAT(result.out, AllOf(HasSubstr("five@2  damaged: "), HasSubstr("weights.safetensors"),
                                HasSubstr("five@3  good"), HasSubstr("mice@1  damaged: ")));
  EXPECT_EQ(result.err, "genoserve: 2 of 4 versions cannot be used\n");
  EXPECT_EQ(Run({"verify", "five@3"}).exit_code, kExitOk);
  const ProgramResult json = Run({"verify", "five@2", "--json"});
  EXPECT_EQ(json.exit_code, kExitMismatch);
  EXPECT_EQ(nlohmann::json::parse(json.out)["versions"][0]["good"], false);
}

TEST_F(StoreCommandTest, TidiesUp) {
  ASSERT_TRUE(FileSystem::Posix().MakeFolder(Path("five/4")).ok());
  Says({"pin", "five@1"});
  EXPECT_EQ(Says({"gc"}), "nothing to remove\n");
  EXPECT_THAT(Says({"gc", "--older-than", "0h", "--keep", "1", "--dry-run"}),
              MatchesRegex("would remove five/4, an unfinished upload [^\n]*\nwould remove five@2, [^\n]*\n"
                           "1 version and 1 unfinished upload; .* would come free\n"));
  const auto json = nlohmann::json::parse(Says({"gc", "--older-than", "0h", "--keep", "1", "--json"}));
  EXPECT_GT(json["freed_bytes"], 1000);
  EXPECT_THAT(*store_->ListVersions(kModel), ElementsAre(1, 3));
  EXPECT_THAT(*store_->ListDebris(), IsEmpty());
  EXPECT_THAT(Says({"pin", "five@1", "--remove"}), HasSubstr("was pinned, and is not now"));
  EXPECT_THAT(Says({"gc", "--keep=1"}), HasSubstr("removed five@1"));
  for (const char* keep : {"0", "-1", "all", "99999999999999999999"}) {
    ExpectRefused({"gc", "--keep", keep}, kExitUsage, "whole number of at least 1");
  }
  for (const char* age : {"yesterday", "-1h", "24"})
    ExpectRefused({"gc", "--older-than", age}, kExitUsage, "--older-than");
  EXPECT_EQ(Says({"gc", "--older-than", "7d"}), "nothing to remove\n");
}

TEST_F(StoreCommandTest, CopiesOnce) {
  const std::string other = JoinPath(folder_, "other");
  const std::string digest = ReadArtifact(*store_, kModel, 3)->digest;
  EXPECT_THAT(Says({"copy", kModel, other}),
              AllOf(HasSubstr(absl::StrCat("five@3 is now five@1 in ", other)), HasSubstr(digest.substr(0, 12))));
  EXPECT_THAT(Says({"copy", kModel, other}), HasSubstr("nothing was copied"));
  const auto json = nlohmann::json::parse(Says({"copy", "five@2", other, "--as", "six", "--json"}));
  EXPECT_EQ(json["model"], "six");
  EXPECT_EQ(json["version"], 1);
  EXPECT_EQ(json["copied"], true);
  const auto copied = *OpenStore(other, false);
  EXPECT_EQ(ReadArtifact(*copied, kModel, 1)->digest, digest);
  EXPECT_EQ(ReadArtifact(*copied, "six", 1)->digest, ReadArtifact(*store_, kModel, 2)->digest);
  Damage("five/1/variants.vcf");
  ExpectRefused({"copy", "five@1", other}, kExitMismatch, "variants.vcf");
  ExpectRefused({"copy", kModel, JoinPath(folder_, "no/such")}, kExitUsage, "no/such");
  ExpectRefused({"copy", kModel, other, "--as", "a/b"}, kExitUsage, "--as");
}

TEST_F(StoreCommandTest, MovesLabels) {
  EXPECT_EQ(Says({"label", kModel, "stable", "1"}), "five: label stable is new, and points at version 1 now\n");
  EXPECT_EQ(Says({"label", kModel, "stable", "1"}), "five: label stable points at version 1 already\n");
  EXPECT_EQ(Says({"label", kModel, "canary", "3"}), "five: label canary is new, and points at version 3 now\n");
  EXPECT_EQ(Says({"promote", kModel}),
            "five: label stable pointed at version 1, and points at version 3 now\nfive: label canary is removed\n");
  EXPECT_EQ(Says({"label", kModel, "stable"}), "five: label stable points at version 3, and pointed at 1 before\n");
  EXPECT_EQ(Says({"rollback", kModel}), "five: label stable pointed at version 3, and points at version 1 now\n");
  EXPECT_EQ(Says({"rollback", kModel}), "five: label stable pointed at version 1, and points at version 3 now\n");
  EXPECT_EQ(Says({"label", kModel, "tested", "stable"}), "five: label tested is new, and points at version 3 now\n");
  EXPECT_EQ(Says({"label", kModel, "stable", "--remove"}),
            "five: label stable pointed at version 3, and is removed now\n");
  EXPECT_EQ(Says({"rollback", kModel}), "five: label stable is new, and points at version 2 now\n");
  EXPECT_EQ(store_->ListLabels(kModel)->at("stable").version, 2);
}

TEST_F(StoreCommandTest, RefusesLabelsThatMakeNoSense) {
  ExpectRefused({"label", kModel, "stable", "9"}, kExitNotFound, "no version 9; there are 1, 2, 3");
  ExpectRefused({"label", kModel, "stable", "last"}, kExitNotFound, "no label last");
  ExpectRefused({"label", "five@2", "stable"}, kExitUsage, "genoserve store label five stable 2");
  ExpectRefused({"label", kModel, "stable", "2", "--remove"}, kExitUsage, "--remove takes no version");
  ExpectRefused({"label", kModel, "two words", "2"}, kExitUsage, "allowed are letters");
  ExpectRefused({"label", kModel, "pin-2", "3"}, kExitUsage, "genoserve store pin");
  ExpectRefused({"label", kModel, "stable"}, kExitNotFound, "has no label stable; give a version");
  ExpectRefused({"label", kModel, "stable", "--remove"}, kExitNotFound, "it has none");
  ExpectRefused({"promote", kModel}, kExitUsage, "no label canary");
  ExpectRefused({"promote", "five@2"}, kExitUsage, "without a version");
  ExpectRefused({"rollback", "mice"}, kExitUsage, "version 1 alone");
  ExpectRefused({"pin", kModel}, kExitUsage, "which version of five?");
  EXPECT_THAT(store_->ListLabels(kModel).value(), IsEmpty());
}

TEST_F(StoreCommandTest, SaysWhatWasMeant) {
  ExpectRefused({"ls", "fvie"}, kExitNotFound, "there are five, mice; did you mean five?");
  ExpectRefused({"verify", "five@7"}, kExitNotFound, "no version 7; there are 1, 2, 3");
  ExpectRefused({"ls", "five@"}, kExitUsage, "NAME@VERSION");
  ExpectRefused({"ls", "../etc"}, kExitUsage, "allowed are letters");
  ExpectRefused({"verfy"}, kExitUsage, "did you mean verify?");
  ExpectRefused({"gc", "--dryrun"}, kExitUsage, "did you mean --dry-run?");
  ExpectRefused({"ls", "--store", JoinPath(folder_, "stroe")}, kExitUsage, "there is no such folder");
  ExpectRefused({"ls", "--store", "gs://bucket"}, kExitUsage, "gs://bucket");
  const ProgramResult none = RunOn("", {"ls"});
  EXPECT_EQ(none.exit_code, kExitUsage);
  EXPECT_THAT(none.err, AllOf(HasSubstr("--store"), HasSubstr("GENOSERVE_STORE")));
  const ProgramResult help = Run({"gc", "--help"});
  EXPECT_EQ(help.exit_code, kExitOk);
  EXPECT_THAT(help.out, AllOf(HasSubstr("--older-than"), HasSubstr("Exit codes")));
}

TEST(FormatBytesTest, HasTwoDigitsAtLeast) {
  EXPECT_EQ(FormatBytes(0), "0 bytes");
  EXPECT_EQ(FormatBytes(999), "999 bytes");
  EXPECT_EQ(FormatBytes(1000), "1.0 kB");
  EXPECT_EQ(FormatBytes(9949), "9.9 kB");
  EXPECT_EQ(FormatBytes(9951), "10 kB");
  EXPECT_EQ(FormatBytes(999'499), "999 kB");
  EXPECT_EQ(FormatBytes(999'500), "1.0 MB");
  EXPECT_EQ(FormatBytes(34'200'000'000), "34 GB");
  EXPECT_EQ(FormatBytes(~uint64_t{0}), "18 EB");
}

}  // namespace
}  // namespace genoserve
