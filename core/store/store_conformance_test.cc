// What every checkpoint store does: in a folder, and in buckets of the S3 servers that are installed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "core/base/status.h"
#include "core/store/checkpoint_store.h"
#include "core/store/testing/store_place.h"

namespace genoserve {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

class StoreConformanceTest : public testing::TestWithParam<PlaceKind> {
 protected:
  StoreConformanceTest() : place_(GetParam()), store_(*place_.Open(/*create=*/true)) {}

  // Publishes a version with one file and returns its number.
  int64_t PublishOne(const std::string& model, const std::string& bytes) {
    auto publication = store_->Publish(model).value();
    EXPECT_TRUE(publication->Put("a.bin", bytes).ok());
    EXPECT_TRUE(publication->Commit("{}").ok());
    return publication->version();
  }

  // Leaves a claimed version with a file, as a publisher that dies does.
  void LeaveDebris(const std::string& model, int64_t version) {
    place_.Plant(absl::StrCat(model, "/", version, "/a.bin"), "half");
  }

  std::vector<Debris> AllDebris() { return store_->ListDebris().value(); }

  std::vector<std::string> DebrisPaths() {
    std::vector<std::string> paths;
    for (const Debris& debris : AllDebris()) paths.push_back(debris.path);
    return paths;
  }

  StorePlace place_;
  const std::unique_ptr<CheckpointStore> store_;
};

TEST_P(StoreConformanceTest, AnEmptyStoreHasNothing) {
  EXPECT_THAT(store_->ListModels().value(), IsEmpty());
  EXPECT_THAT(store_->ListVersions("m").value(), IsEmpty());
  EXPECT_THAT(store_->ListLabels("m").value(), IsEmpty());
  EXPECT_THAT(store_->ListDebris().value(), IsEmpty());
  for (const int64_t version : {-1, 0, 1}) {
    const auto read = store_->Read("m", version, "a.bin", 10);
    EXPECT_EQ(read.status().code(), absl::StatusCode::kNotFound);
    EXPECT_THAT(std::string(read.status().message()), HasSubstr(absl::StrCat("model m has no version ", version)));
    EXPECT_EQ(store_->PublishedAt("m", version).status().code(), absl::StatusCode::kNotFound);
    EXPECT_TRUE(store_->RemoveVersion("m", version).ok());
  }
}

TEST_P(StoreConformanceTest, PublishesAndReadsBack) {
  const std::string bytes("\0\1two", 5);
  const absl::Time before = absl::Now();
  EXPECT_EQ(PublishOne("m", bytes), 1);
  EXPECT_EQ(PublishOne("m", "later"), 2);
  EXPECT_EQ(PublishOne("a-model.v2", ""), 1);
  EXPECT_THAT(store_->ListModels().value(), ElementsAre("a-model.v2", "m"));
  EXPECT_THAT(store_->ListVersions("m").value(), ElementsAre(1, 2));
  EXPECT_EQ(store_->Read("m", 1, "a.bin", 5).value(), bytes);
  EXPECT_EQ(store_->Read("m", 1, kManifestFile, 5).value(), "{}");
  EXPECT_EQ(store_->Read("a-model.v2", 1, "a.bin", 0).value(), "");
  EXPECT_EQ(store_->Read("m", 1, "a.bin", 4).status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(store_->Read("m", 1, "b.bin", 4).status().code(), absl::StatusCode::kNotFound);
  // Servers tell whole seconds, and file systems the time of the last tick.
  EXPECT_GE(store_->PublishedAt("m", 2).value(), before - absl::Seconds(1));
  EXPECT_LE(store_->PublishedAt("m", 2).value(), absl::Now() + absl::Seconds(1));
  EXPECT_THAT(store_->ListDebris().value(), IsEmpty());
}

TEST_P(StoreConformanceTest, AnotherThatOpensTheStoreSeesTheSame) {
  PublishOne("m", "x");
  ASSERT_TRUE(store_->SetLabel("m", kStableLabel, 1).ok());
  const auto other = place_.Open(/*create=*/false).value();
  EXPECT_THAT(other->ListModels().value(), ElementsAre("m"));
  EXPECT_EQ(other->Read("m", 1, "a.bin", 10).value(), "x");
  EXPECT_THAT(other->ListLabels("m").value(), ElementsAre(Pair("stable", Label{1, 0})));
}

TEST_P(StoreConformanceTest, AVersionDoesNotExistBeforeItsManifest) {
  auto publication = store_->Publish("m").value();
  ASSERT_TRUE(publication->Put("a.bin", "x").ok());
  EXPECT_THAT(store_->ListModels().value(), IsEmpty());
  EXPECT_THAT(store_->ListVersions("m").value(), IsEmpty());
  EXPECT_EQ(store_->Read("m", 1, "a.bin", 10).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(store_->PublishedAt("m", 1).status().code(), absl::StatusCode::kNotFound);
}

TEST_P(StoreConformanceTest, GivingUpRemovesWhatWasPut) {
  {
    auto publication = store_->Publish("m").value();
    ASSERT_TRUE(publication->Put("a.bin", "x").ok());
  }
  EXPECT_THAT(place_.Everything(), IsEmpty());
  EXPECT_EQ(PublishOne("m", "x"), 1);
}

TEST_P(StoreConformanceTest, APublishedVersionNeverChanges) {
  auto publication = store_->Publish("m").value();
  ASSERT_TRUE(publication->Put("a.bin", "x").ok());
  EXPECT_EQ(publication->Put("a.bin", "y").code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(publication->Put(kManifestFile, "y").code(), absl::StatusCode::kAlreadyExists);
  ASSERT_TRUE(publication->Commit("{}").ok());
  EXPECT_EQ(publication->Put("b.bin", "y").code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(publication->Commit("{ }").code(), absl::StatusCode::kFailedPrecondition);
  publication.reset();
  EXPECT_EQ(store_->Read("m", 1, "a.bin", 10).value(), "x");
  EXPECT_EQ(store_->Read("m", 1, kManifestFile, 10).value(), "{}");
}

TEST_P(StoreConformanceTest, AVersionWhoseFilesWereCollectedMeanwhileDoesNotComeToExist) {
  auto publication = store_->Publish("m").value();
  ASSERT_TRUE(publication->Put("a.bin", "x").ok());
  for (const Debris& debris : AllDebris()) ASSERT_TRUE(store_->RemoveDebris(debris).ok());
  EXPECT_FALSE(publication->Commit("{}").ok());
  // Another one takes the number, and the one that stood still leaves it alone.
  EXPECT_EQ(PublishOne("m", "other"), 1);
  publication.reset();
  EXPECT_THAT(store_->ListVersions("m").value(), ElementsAre(1));
  EXPECT_EQ(store_->Read("m", 1, "a.bin", 10).value(), "other");
}

TEST_P(StoreConformanceTest, PublishersAtOnceGetDifferentVersions) {
  constexpr int kThreads = 8;
  constexpr int kEach = 3;
  std::vector<std::thread> threads;
  std::vector<std::string> failures(kThreads);
  threads.reserve(kThreads);
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([this, t, &failures] {
      for (int i = 0; i < kEach; ++i) {
        auto publication = store_->Publish("m");
        absl::Status status = publication.status();
        if (status.ok()) status = (*publication)->Put("a.bin", absl::StrCat((*publication)->version()));
        if (status.ok()) status = (*publication)->Commit("{}");
        if (!status.ok()) failures[t] = status.ToString();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(failures, testing::Each(""));
  const std::vector<int64_t> versions = store_->ListVersions("m").value();
  ASSERT_EQ(versions.size(), kThreads * kEach);
  for (size_t i = 0; i < versions.size(); ++i) {
    EXPECT_EQ(versions[i], static_cast<int64_t>(i) + 1);
    EXPECT_EQ(store_->Read("m", versions[i], "a.bin", 10).value(), absl::StrCat(versions[i]));
  }
}

TEST_P(StoreConformanceTest, PublishersOfSeveralProcessesGetDifferentVersions) {
  constexpr int kProcesses = 4;
  constexpr int kEach = 3;
  EXPECT_THAT(place_.RunPublishers(kProcesses, "m", kEach), testing::Each(0));
  const std::vector<int64_t> versions = store_->ListVersions("m").value();
  ASSERT_EQ(versions.size(), kProcesses * kEach);
  for (size_t i = 0; i < versions.size(); ++i) {
    EXPECT_EQ(versions[i], static_cast<int64_t>(i) + 1);
    EXPECT_EQ(store_->Read("m", versions[i], "a.bin", 10).value(), absl::StrCat(versions[i]));
  }
}

TEST_P(StoreConformanceTest, NamesThatLeaveTheirPlaceAreRefused) {
  const std::vector<std::string> bad = {"",
                                        ".",
                                        "..",
                                        "../m",
                                        "m/../m",
                                        "/m",
                                        ".hidden",
                                        "a b",
                                        "a\nb",
                                        "-m",
                                        "é",
                                        "m\\n",
                                        "m/",
                                        "*",
                                        "m?x",
                                        "m%2e",
                                        std::string(129, 'm'),
                                        std::string("m\0x", 3)};
  auto publication = store_->Publish("good").value();
  for (const std::string& name : bad) {
    EXPECT_EQ(store_->Publish(name).status().code(), absl::StatusCode::kInvalidArgument) << name;
    EXPECT_EQ(store_->ListVersions(name).status().code(), absl::StatusCode::kInvalidArgument) << name;
    EXPECT_EQ(store_->Read(name, 1, "a", 1).status().code(), absl::StatusCode::kInvalidArgument) << name;
    EXPECT_EQ(store_->Read("good", 1, name, 1).status().code(), absl::StatusCode::kInvalidArgument) << name;
    EXPECT_EQ(publication->Put(name, "x").code(), absl::StatusCode::kInvalidArgument) << name;
    EXPECT_EQ(store_->PublishedAt(name, 1).status().code(), absl::StatusCode::kInvalidArgument) << name;
    EXPECT_EQ(store_->ListLabels(name).status().code(), absl::StatusCode::kInvalidArgument) << name;
    EXPECT_EQ(store_->SetLabel(name, "stable", 1).code(), absl::StatusCode::kInvalidArgument) << name;
    EXPECT_EQ(store_->SetLabel("good", name, 1).code(), absl::StatusCode::kInvalidArgument) << name;
    EXPECT_EQ(store_->RemoveLabel("good", name).code(), absl::StatusCode::kInvalidArgument) << name;
    EXPECT_EQ(store_->RemoveVersion(name, 1).code(), absl::StatusCode::kInvalidArgument) << name;
  }
  EXPECT_THAT(std::string(ValidateModelName("../m").message()), HasSubstr("model name \"../m\": allowed are letters"));
  for (const char* path : {"", "m", "../m/1", "m/x", "m/1/..", "m/1/../../other", "/m/1"}) {
    EXPECT_EQ(store_->RemoveDebris({"m", path, absl::Now()}).code(), absl::StatusCode::kInvalidArgument) << path;
  }
  // Long names are whole names.
  const std::string longest(128, 'm');
  EXPECT_EQ(PublishOne(longest, "x"), 1);
  EXPECT_TRUE(store_->SetLabel(longest, longest, 1).ok());
  EXPECT_THAT(store_->ListLabels(longest).value(), ElementsAre(Pair(longest, Label{1, 0})));
}

TEST_P(StoreConformanceTest, OtherThingsThereAreNotModelsOrVersions) {
  PublishOne("m", "x");
  for (const char* path : {"README", ".snapshot/1/manifest.json", "-lost/1/manifest.json", "notes/a.txt",
                           "m/007/manifest.json", "m/0/manifest.json", "m/-3/manifest.json",
                           "m/99999999999999999999/manifest.json", "m/x/manifest.json", "m/2/deeper/manifest.json"}) {
    place_.Plant(path, "{}");
  }
  EXPECT_THAT(store_->ListModels().value(), ElementsAre("m"));
  EXPECT_THAT(store_->ListVersions("m").value(), ElementsAre(1));
  EXPECT_EQ(PublishOne("m", "y"), 3) << "2 is taken, by whatever it is";
}

TEST_P(StoreConformanceTest, ManyVersionsAreListedInOrder) {
  // More objects than S3 lists at once; versions as numbers, not as words.
  constexpr int kVersions = 520;
  for (int i = 1; i <= kVersions; ++i) {
    place_.Plant(absl::StrCat("m/", i, "/a.bin"), "x");
    place_.Plant(absl::StrCat("m/", i, "/manifest.json"), "{}");
  }
  const std::vector<int64_t> versions = store_->ListVersions("m").value();
  ASSERT_EQ(versions.size(), kVersions);
  for (int i = 0; i < kVersions; ++i) EXPECT_EQ(versions[i], i + 1);
  EXPECT_THAT(store_->ListModels().value(), ElementsAre("m"));
  EXPECT_EQ(PublishOne("m", "y"), kVersions + 1);
}

TEST_P(StoreConformanceTest, LabelsPointAndRememberWhereTheyPointedBefore) {
  PublishOne("m", "x");
  ASSERT_TRUE(store_->SetLabel("m", "stable", 1).ok());
  ASSERT_TRUE(store_->SetLabel("m", "canary", 7).ok()) << "a version that is not there yet";
  EXPECT_THAT(store_->ListLabels("m").value(), ElementsAre(Pair("canary", Label{7, 0}), Pair("stable", Label{1, 0})));
  ASSERT_TRUE(store_->SetLabel("m", "stable", 2).ok());
  ASSERT_TRUE(store_->SetLabel("m", "stable", 2).ok());
  EXPECT_EQ(store_->ListLabels("m").value()["stable"], (Label{2, 1})) << "moved to where it is, it remembers as before";
  ASSERT_TRUE(store_->SetLabel("m", "stable", 1).ok());
  EXPECT_EQ(store_->ListLabels("m").value()["stable"], (Label{1, 2}));
  ASSERT_TRUE(store_->RemoveLabel("m", "canary").ok());
  ASSERT_TRUE(store_->RemoveLabel("m", "canary").ok()) << "it is gone already";
  ASSERT_TRUE(store_->RemoveLabel("unknown", "canary").ok());
  EXPECT_THAT(store_->ListLabels("m").value(), ElementsAre(Pair("stable", Label{1, 2})));
  ASSERT_TRUE(store_->SetLabel("m", "canary", 9).ok());
  EXPECT_EQ(store_->ListLabels("m").value()["canary"], (Label{9, 0})) << "a new label remembers nothing";

  EXPECT_THAT(store_->ListModels().value(), ElementsAre("m"));
  EXPECT_THAT(store_->ListVersions("m").value(), ElementsAre(1)) << "labels are no versions";
  EXPECT_THAT(store_->ListDebris().value(), IsEmpty()) << "nor debris";
}

TEST_P(StoreConformanceTest, ALabelMayComeBeforeTheFirstVersion) {
  ASSERT_TRUE(store_->SetLabel("early", "stable", 1).ok());
  EXPECT_THAT(store_->ListLabels("early").value(), ElementsAre(Pair("stable", Label{1, 0})));
  EXPECT_THAT(store_->ListModels().value(), IsEmpty());
  EXPECT_EQ(PublishOne("early", "x"), 1);
  EXPECT_THAT(store_->ListLabels("early").value(), ElementsAre(Pair("stable", Label{1, 0})));
}

TEST_P(StoreConformanceTest, LabelsPointAtVersionsOnly) {
  for (const int64_t version : {int64_t{0}, int64_t{-1}}) {
    EXPECT_EQ(store_->SetLabel("m", "stable", version).code(), absl::StatusCode::kInvalidArgument);
  }
  EXPECT_THAT(store_->ListLabels("m").value(), IsEmpty());
}

TEST_P(StoreConformanceTest, ADamagedLabelIsNamedAndCanBeSetAnewOrRemoved) {
  PublishOne("m", "x");
  for (const std::string& bytes : {std::string("version -1\nprevious 0\n"), std::string("version 1\n"), std::string(),
                                   std::string("version 1\nprevious 0\nmore\n")}) {
    place_.Plant("m/labels/stable", bytes);
    const absl::Status status = store_->ListLabels("m").status();
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr("m/labels/stable"));
    ASSERT_TRUE(store_->SetLabel("m", "stable", 1).ok());
    EXPECT_THAT(store_->ListLabels("m").value(), ElementsAre(Pair("stable", Label{1, 0})));
  }
  place_.Plant("m/labels/stable", std::string(300, 'x'));
  EXPECT_EQ(store_->ListLabels("m").status().code(), absl::StatusCode::kResourceExhausted);
  ASSERT_TRUE(store_->RemoveLabel("m", "stable").ok());
  EXPECT_THAT(store_->ListLabels("m").value(), IsEmpty());
}

TEST_P(StoreConformanceTest, ReadersOfALabelThatMovesSeeOnePlaceOrTheOther) {
  constexpr int kMoves = 60;
  ASSERT_TRUE(store_->SetLabel("m", "stable", 1).ok());
  std::atomic<bool> done = false;
  std::atomic<int> reads = 0;
  std::vector<std::thread> readers;
  std::vector<std::string> wrong(2);
  readers.reserve(wrong.size());
  for (std::string& complaint : wrong) {
    readers.emplace_back([&] {
      int64_t last = 1;
      while (!done) {
        const auto labels = store_->ListLabels("m");
        ++reads;
        if (!labels.ok()) {
          complaint = labels.status().ToString();
        } else if (!labels->contains("stable")) {
          complaint = "it was not there";
        } else {
          const Label label = labels->at("stable");
          if (label.previous != label.version - 1 || label.version < last) complaint = "it is a mix";
          last = label.version;
        }
      }
    });
  }
  for (int64_t version = 2; version <= kMoves; ++version) EXPECT_TRUE(store_->SetLabel("m", "stable", version).ok());
  const int at_the_end = reads;
  while (reads < at_the_end + 2) std::this_thread::yield();
  done = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_THAT(wrong, testing::Each(""));
}

TEST_P(StoreConformanceTest, RemovingAVersionLeavesTheOthers) {
  PublishOne("m", "one");
  PublishOne("m", "two");
  PublishOne("other", "x");
  ASSERT_TRUE(store_->SetLabel("m", "stable", 1).ok());
  ASSERT_TRUE(store_->RemoveVersion("m", 1).ok());
  EXPECT_THAT(store_->ListVersions("m").value(), ElementsAre(2));
  EXPECT_EQ(store_->Read("m", 1, "a.bin", 10).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(store_->Read("m", 2, "a.bin", 10).value(), "two");
  EXPECT_THAT(store_->ListLabels("m").value(), ElementsAre(Pair("stable", Label{1, 0}))) << "it points at nothing now";
  ASSERT_TRUE(store_->RemoveVersion("m", 1).ok()) << "it is gone already";
  EXPECT_THAT(store_->ListDebris().value(), IsEmpty());
  EXPECT_EQ(PublishOne("m", "three"), 3) << "the number is not used again";
  ASSERT_TRUE(store_->RemoveVersion("other", 1).ok());
  EXPECT_THAT(store_->ListModels().value(), ElementsAre("m"));
}

TEST_P(StoreConformanceTest, RemovingAVersionThatDoesNotExistYetLeavesItsPublisherAlone) {
  auto publication = store_->Publish("m").value();
  ASSERT_TRUE(publication->Put("a.bin", "x").ok());
  ASSERT_TRUE(store_->RemoveVersion("m", 1).ok());
  ASSERT_TRUE(publication->Commit("{}").ok());
  EXPECT_EQ(store_->Read("m", 1, "a.bin", 10).value(), "x");
}

TEST_P(StoreConformanceTest, DebrisIsListedAndRemovedAndVersionsAreNot) {
  const absl::Time before = absl::Now();
  PublishOne("m", "x");
  LeaveDebris("m", 2);
  LeaveDebris("n", 5);
  EXPECT_EQ(PublishOne("m", "y"), 3) << "its number is not used again";
  auto living = store_->Publish("m").value();
  EXPECT_THAT(DebrisPaths(), UnorderedElementsAre("m/2", "n/5", "m/4"));
  for (const Debris& debris : AllDebris()) {
    EXPECT_EQ(debris.model, absl::StartsWith(debris.path, "m") ? "m" : "n");
    EXPECT_GE(debris.last_change, before - absl::Seconds(1));
    EXPECT_LE(debris.last_change, absl::Now() + absl::Seconds(1));
    if (debris.path == "m/4") continue;
    EXPECT_TRUE(store_->RemoveDebris(debris).ok());
  }
  EXPECT_THAT(DebrisPaths(), ElementsAre("m/4"));
  // What became a version since it was listed stays.
  const std::vector<Debris> listed = AllDebris();
  ASSERT_TRUE(living->Commit("{}").ok());
  EXPECT_EQ(store_->RemoveDebris(listed.at(0)).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(store_->ListVersions("m").value(), ElementsAre(1, 3, 4));
  EXPECT_EQ(store_->Read("m", 1, "a.bin", 10).value(), "x");
  // What is gone already is no error.
  EXPECT_TRUE(store_->RemoveDebris({"n", "n/5", before}).ok());
}

INSTANTIATE_TEST_SUITE_P(Stores, StoreConformanceTest, testing::ValuesIn(InstalledPlaces()),
                         [](const auto& kind) { return PlaceName(kind.param); });

}  // namespace
}  // namespace genoserve
