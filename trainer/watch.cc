#include "trainer/watch.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "core/artifact/artifact.h"
#include "core/base/status.h"
#include "core/io/genotype_source.h"
#include "core/store/checkpoint_store.h"
#include "trainer/config_file.h"
#include "trainer/train_config.h"

namespace genoserve {

absl::StatusOr<WatchResult> Watch(const v1::TrainConfig& config) {
  const std::string& model = config.output().model();
  GENOSERVE_ASSIGN_OR_RETURN(const std::vector<std::string> files, InputFiles(config.input()));
  GENOSERVE_ASSIGN_OR_RETURN(const std::string data, DigestFiles(files));
  const WatchResult none{true, absl::StrCat("model ", model, " has no version yet")};
  const auto store = OpenStore(config.output().store(), /*create=*/false);
  if (absl::IsNotFound(store.status())) return none;
  GENOSERVE_RETURN_IF_ERROR(store.status());
  GENOSERVE_ASSIGN_OR_RETURN(const std::vector<int64_t> versions, (*store)->ListVersions(model));
  if (versions.empty()) return none;
  std::string digest;
  GENOSERVE_ASSIGN_OR_RETURN(v1::Manifest newest, ReadManifest(**store, model, versions.back(), &digest));
  const std::string name = absl::StrCat("version ", versions.back(), " of ", model);
  if (newest.training().data_digest() != data) return WatchResult{true, absl::StrCat("the data is not that of ", name)};
  // The same data has the same variants, labels and phenotypes, so that the preset comes out as it would in a training.
  const std::string known = newest.training().config_digest();
  if (!FillManifest(config, newest).ok() || ConfigDigest(config, newest) != known)
    return WatchResult{true, absl::StrCat("the settings are not those of ", name)};
  return WatchResult{false, absl::StrCat(name, " has this data and these settings: nothing to train")};
}

}  // namespace genoserve
