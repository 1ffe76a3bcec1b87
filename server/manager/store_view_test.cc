#include "server/manager/store_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/file.h"
#include "core/store/forwarding_store.h"
#include "tests/support/artifacts.h"

namespace genoserve {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// A real store of which one model cannot be read.
class HalfStore final : public ForwardingStore {
 public:
  explicit HalfStore(const std::string& folder) : ForwardingStore(*OpenStore(folder, /*create=*/true)) {}
  absl::StatusOr<std::vector<int64_t>> ListVersions(absl::string_view model) const override {
    if (model == unreadable) return absl::PermissionDeniedError("cannot list");
    return store().ListVersions(model);
  }
  std::string unreadable;
};

TEST(StoreViewTest, WhatCannotBeReadStaysAsItWas) {
  const std::string folder = NewTestFolder();
  HalfStore store(folder);
  PublishTestAcgan(folder, "a", 1);
  PublishTestAcgan(folder, "b", 1);
  ASSERT_TRUE(store.SetLabel("a", "stable", 1).ok());
  const StoreLook first = LookAtStore(store, {});
  ASSERT_TRUE(first.status.ok()) << first.status;
  EXPECT_THAT(first.listing.at("a").versions, ElementsAre(1));
  EXPECT_EQ(first.listing.at("a").LabelTarget("stable"), 1);
  EXPECT_EQ(first.listing.at("b").LabelTarget("stable"), 0);

  PublishTestAcgan(folder, "a", 2);
  PublishTestAcgan(folder, "b", 2);
  store.unreadable = "a";
  const StoreLook second = LookAtStore(store, first.listing);
  EXPECT_TRUE(second.reachable);
  EXPECT_TRUE(absl::IsUnavailable(second.status));
  EXPECT_THAT(std::string(second.status.message()), HasSubstr("model a of the store cannot be read: cannot list"));
  EXPECT_EQ(second.listing.at("a"), first.listing.at("a"));
  EXPECT_THAT(second.listing.at("b").versions, ElementsAre(1, 2));
  EXPECT_THAT(LookAtStore(store, {}).listing.count("a"), 0) << "nothing was known of it";

  ASSERT_TRUE(FileSystem::Posix().Remove(folder).ok());
  const StoreLook third = LookAtStore(store, second.listing);
  EXPECT_FALSE(third.reachable);
  EXPECT_TRUE(absl::IsUnavailable(third.status));
  EXPECT_EQ(third.listing, second.listing);
}

TEST(StoreViewTest, AModelWithoutVersionsIsNone) {
  const std::string folder = NewTestFolder();
  HalfStore store(folder);
  ASSERT_TRUE(store.SetLabel("a", "stable", 1).ok());
  const StoreLook look = LookAtStore(store, {});
  EXPECT_TRUE(look.status.ok()) << look.status;
  EXPECT_THAT(look.listing, IsEmpty());
  FileSystem::Posix().Remove(folder).IgnoreError();
}

}  // namespace
}  // namespace genoserve
