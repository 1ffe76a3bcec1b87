// Whatever is published, the last good version goes on, and what is wrong is told.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/synchronization/notification.h"
#include "core/artifact/artifact.h"
#include "core/artifact/manifest_json.h"
#include "core/base/file.h"
#include "core/base/sha256.h"
#include "server/test_server.h"

namespace genoserve {
namespace {

using ::testing::HasSubstr;

// The files of a version; those that the manifest tells of are put as they are.
struct Files {
  std::string manifest;
  std::map<std::string, std::string> others;

  // Has the manifest tell the truth of a file that was changed.
  void Retell(const std::string& name) {
    v1::Manifest parsed = ParseManifest(manifest).value();
    for (v1::ArtifactFile& file : *parsed.mutable_files()) {
      if (file.name() != name) continue;
      file.set_size(static_cast<int64_t>(others.at(name).size()));
      file.set_sha256(Sha256Hex(others.at(name)));
    }
    manifest = SerializeManifest(parsed).value();
  }
  void ChangeWeights(const std::function<void(TensorMap&)>& change) {
    std::string& bytes = others.at(std::string(kWeightsFile));
    TensorMap tensors = ParseSafetensors(bytes).value();
    change(tensors);
    bytes = SerializeSafetensors(tensors);
    Retell(std::string(kWeightsFile));
  }
  void ChangeManifest(const std::function<void(v1::Manifest&)>& change) {
    v1::Manifest parsed = ParseManifest(manifest).value();
    change(parsed);
    manifest = SerializeManifest(parsed).value();
  }
};

struct Breakage {
  std::string name;
  std::function<void(Files&)> apply;
  std::string reason;  // a part of what is said of it
};

std::vector<Breakage> Breakages() {
  const std::string weights(kWeightsFile);
  return {
      {"manifest is no JSON", [](Files& files) { files.manifest = "not JSON"; }, "manifest.json"},
      {"manifest ends early", [](Files& files) { files.manifest.resize(files.manifest.size() / 2); }, "manifest.json"},
      {"manifest is empty", [](Files& files) { files.manifest.clear(); }, "manifest.json"},
      {"newer format",
       [](Files& files) {
         files.manifest = absl::StrReplaceAll(files.manifest, {{"\"format_version\": 1", "\"format_version\": 2"}});
       },
       "this build reads up to 1"},
      {"file outside the folder",
       [](Files& files) {
         files.manifest = absl::StrReplaceAll(files.manifest, {{"\"variants.vcf\"", "\"../1/variants.vcf\""}});
       },
       "../1/variants.vcf"},
      {"wrong size",
       [](Files& files) {
         files.ChangeManifest([](v1::Manifest& manifest) {
           for (v1::ArtifactFile& file : *manifest.mutable_files()) file.set_size(file.size() + 1);
         });
       },
       "bytes"},
      {"wrong digest", [weights](Files& files) { files.others.at(weights).back() ^= 1; }, "SHA-256"},
      {"missing file", [weights](Files& files) { files.others.erase(weights); }, weights},
      {"unknown sizes",
       [](Files& files) {
         files.ChangeManifest([](v1::Manifest& manifest) {
           manifest.mutable_generator()->mutable_acgan()->set_hidden_sizes(0, 1 << 30);
         });
       },
       ""},
      {"weights with NaN",
       [](Files& files) {
         files.ChangeWeights([](TensorMap& tensors) {
           tensors.begin()->second.values.at(1) = std::numeric_limits<float>::quiet_NaN();
         });
       },
       "not finite"},
      {"weights without end",
       [](Files& files) {
         files.ChangeWeights([](TensorMap& tensors) {
           tensors.rbegin()->second.values.at(0) = std::numeric_limits<float>::infinity();
         });
       },
       "not finite"},
      {"weights of another shape",
       [](Files& files) {
         files.ChangeWeights([](TensorMap& tensors) {
           Tensor& tensor = tensors.begin()->second;
           tensor.values.push_back(0);
           tensor.shape = {static_cast<int64_t>(tensor.values.size())};
         });
       },
       "shape"},
      {"a tensor too many",
       [](Files& files) {
         files.ChangeWeights([](TensorMap& tensors) { tensors["surprise"] = Tensor{.shape = {1}, .values = {1}}; });
       },
       "surprise"},
      {"a header of 2 GB",
       [weights](Files& files) {
         files.others.at(weights).replace(0, 8, std::string("\0\0\0\x80\0\0\0\0", 8));
         files.Retell(weights);
       },
       "header"},
      {"weights that make all samples alike",
       [](Files& files) {
         files.ChangeWeights([](TensorMap& tensors) {
           for (auto& [name, tensor] : tensors) {
             const bool bias = name == "output.bias";
             for (float& value : tensor.values) value = bias ? 100.0F : 0.0F;
           }
         });
       },
       "same"},
  };
}

class BrokenVersionsTest : public ServerTest, public testing::WithParamInterface<Breakage> {
 protected:
  // Publishes a broken copy of version 1.
  void PublishBroken(const std::function<void(Files&)>& apply) {
    const auto store = OpenStore(store_, /*create=*/true).value();
    Files files;
    files.manifest = store->Read("model", 1, kManifestFile, 1 << 20).value();
    const v1::Manifest manifest = ParseManifest(files.manifest).value();
    for (const v1::ArtifactFile& file : manifest.files()) {
      files.others[file.name()] = store->Read("model", 1, file.name(), 1 << 20).value();
    }
    apply(files);
    auto publication = store->Publish("model").value();
    for (const auto& [name, bytes] : files.others) ASSERT_TRUE(publication->Put(name, bytes).ok());
    ASSERT_TRUE(publication->Commit(files.manifest).ok());
  }
  VersionStatus AwaitFailure(int64_t version) {
    VersionStatus failed;
    EXPECT_TRUE(server_->models().WaitUntil(
        [&](const auto& versions) {
          const auto found = std::find_if(versions.begin(), versions.end(), [&](const VersionStatus& status) {
            return status.version == version && status.state == v1::MODEL_STATE_FAILED;
          });
          if (found != versions.end()) failed = *found;
          return found != versions.end();
        },
        absl::Seconds(60)));
    return failed;
  }
};

TEST_P(BrokenVersionsTest, TheLastGoodOneGoesOn) {
  PublishTestAcgan(store_, "model", 1);
  Start();
  const auto good = Fetch(CohortRequest("model", 300));
  ASSERT_TRUE(good.ok()) << good.status();
  PublishBroken(GetParam().apply);
  const VersionStatus failed = AwaitFailure(2);
  EXPECT_TRUE(failed.quarantined) << failed.reason;
  EXPECT_THAT(failed.reason, HasSubstr(GetParam().reason));
  const auto after = Fetch(CohortRequest("model", 300));
  ASSERT_TRUE(after.ok()) << after.status();
  EXPECT_EQ(after->header.version(), "1");
  EXPECT_EQ(after->bytes(), good->bytes());
  // The next good one comes as ever.
  PublishTestAcgan(store_, "model", 2);
  AwaitDefault("model", 3);
  EXPECT_NE(Fetch(CohortRequest("model", 300))->bytes(), good->bytes());
}

INSTANTIATE_TEST_SUITE_P(Chaos, BrokenVersionsTest, testing::ValuesIn(Breakages()), [](const auto& each) {
  return absl::StrReplaceAll(each.param.name, {{" ", "_"}});
});

// The folder is away for a while, as when a network file system is not mounted, and comes back with a new version.
TEST_F(BrokenVersionsTest, AStoreThatVanishesChangesNothing) {
  PublishTestAcgan(store_, "model", 1);
  Start();
  const auto good = Fetch(CohortRequest("model", 300));
  ASSERT_TRUE(good.ok()) << good.status();
  const std::string elsewhere = store_ + "-away";
  ASSERT_TRUE(FileSystem::Posix().Rename(store_, elsewhere).ok());
  ASSERT_TRUE(FileSystem::Posix().MakeFolder(store_).ok());  // empty, as a mount point
  for (int i = 0; i < 3; ++i) {
    absl::Notification looked;
    server_->models().LookNow([&](const absl::Status&) { looked.Notify(); });
    looked.WaitForNotification();
    EXPECT_EQ(Fetch(CohortRequest("model", 300))->bytes(), good->bytes());
  }
  ASSERT_TRUE(FileSystem::Posix().Remove(store_).ok());
  absl::Notification looked;
  server_->models().LookNow([&](const absl::Status& status) {
    EXPECT_FALSE(status.ok());
    looked.Notify();
  });
  looked.WaitForNotification();
  EXPECT_EQ(Fetch(CohortRequest("model", 300))->bytes(), good->bytes());
  PublishTestAcgan(elsewhere, "model", 2);
  ASSERT_TRUE(FileSystem::Posix().Rename(elsewhere, store_).ok());
  AwaitDefault("model", 2);
}

}  // namespace
}  // namespace genoserve
