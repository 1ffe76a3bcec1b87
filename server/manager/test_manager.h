// A manager on a real store that tests step by hand.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/artifact/safetensors.h"
#include "core/base/clock.h"
#include "core/store/forwarding_store.h"
#include "genoserve/v1/manifest.pb.h"
#include "server/manager/model_manager.h"
#include "server/telemetry/metrics.h"

namespace genoserve {

/// A real store whose reads and listings a test can make fail.
class UnreliableStore final : public ForwardingStore {
 public:
  explicit UnreliableStore(const std::string& folder) : ForwardingStore(*OpenStore(folder, /*create=*/true)) {}

  absl::StatusOr<std::vector<int64_t>> ListVersions(absl::string_view model) const override;
  absl::StatusOr<std::string> Read(absl::string_view model, int64_t version, absl::string_view file,
                                   uint64_t limit) const override;

  mutable int failures = 0;                  ///< reads of weights that are still to fail, UNAVAILABLE
  std::string unreadable;                    ///< a model that cannot be listed
  std::function<void()> on_reading_weights;  ///< called before; may block or throw
};

/// Loads run within the step that begins them, and the clock stands still unless it is moved. The model of most tests
/// is called "model".
class ManagerTest : public testing::Test {
 protected:
  ManagerTest();
  ~ManagerTest() override;

  /// Options of a manager like this one.
  ModelManager::Options TestOptions();
  /// A new manager with these settings, in the place of the one that was there.
  void Restart(ManagerSettings settings);
  /// Has the manager take settings over; they count after a step.
  void Configure(const std::function<void(ManagerSettings&)>& change);
  /// A policy for all models.
  void SetPolicy(const std::string& model_config);

  /// Publishes an artifact with these weights and returns its version.
  int64_t Publish(const std::string& model, const v1::Manifest& manifest, const TensorMap& weights);

  /// The next look at the store, with all that follows from it.
  void Look();
  /// Steps without a look, until nothing is left to do.
  void Settle();
  /// Asks for a look; what it is told goes to the end of `told`.
  void Ask(std::vector<absl::Status>& told);

  /// "2:serving* 1:failed" of one model, newest first; the default version has a star, the canary a plus.
  std::string States(const std::string& model = "model") const;
  VersionStatus Status(int64_t version, const std::string& model = "model") const;
  absl::StatusOr<ModelHandle> Find(const std::string& version = "", const std::string& digest = "",
                                   const std::string& model = "model") const;

  std::string Path(int64_t version, const std::string& file) const;
  void Corrupt(int64_t version, const std::string& file) const;

  FakeClock clock_;
  Metrics metrics_;
  const std::string folder_;
  const std::unique_ptr<UnreliableStore> store_;
  ManagerSettings settings_;
  std::unique_ptr<ModelManager> manager_;
};

}  // namespace genoserve
