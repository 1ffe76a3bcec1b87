// A store that passes everything on to another one, for those that change a part of that.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/store/checkpoint_store.h"

namespace genoserve {

/// Derive from it and override what is to be different.
class ForwardingStore : public CheckpointStore {
 public:
  explicit ForwardingStore(std::unique_ptr<CheckpointStore> store) : store_(std::move(store)) {}

  absl::StatusOr<std::vector<std::string>> ListModels() const override { return store_->ListModels(); }
  absl::StatusOr<std::vector<int64_t>> ListVersions(absl::string_view model) const override {
    return store_->ListVersions(model);
  }
  absl::StatusOr<std::string> Read(absl::string_view model, int64_t version, absl::string_view file,
                                   uint64_t limit) const override {
    return store_->Read(model, version, file, limit);
  }
  absl::StatusOr<absl::Time> PublishedAt(absl::string_view model, int64_t version) const override {
    return store_->PublishedAt(model, version);
  }
  absl::StatusOr<std::unique_ptr<Publication>> Publish(absl::string_view model) override {
    return store_->Publish(model);
  }
  absl::StatusOr<std::map<std::string, Label>> ListLabels(absl::string_view model) const override {
    return store_->ListLabels(model);
  }
  absl::Status SetLabel(absl::string_view model, absl::string_view label, int64_t version) override {
    return store_->SetLabel(model, label, version);
  }
  absl::Status RemoveLabel(absl::string_view model, absl::string_view label) override {
    return store_->RemoveLabel(model, label);
  }
  absl::Status RemoveVersion(absl::string_view model, int64_t version) override {
    return store_->RemoveVersion(model, version);
  }
  absl::StatusOr<std::vector<Debris>> ListDebris() const override { return store_->ListDebris(); }
  absl::Status RemoveDebris(const Debris& debris) override { return store_->RemoveDebris(debris); }

 protected:
  CheckpointStore& store() { return *store_; }
  const CheckpointStore& store() const { return *store_; }

 private:
  const std::unique_ptr<CheckpointStore> store_;
};

}  // namespace genoserve
