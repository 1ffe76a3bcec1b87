// Publishes versions of a model, for tests of publishers in several processes: publisher STORE MODEL COUNT.
#include <cstdlib>
#include <iostream>
#include <string>

#include "absl/strings/str_cat.h"
#include "core/base/status.h"
#include "core/store/checkpoint_store.h"

namespace genoserve {
namespace {

absl::Status Publish(const std::string& url, const std::string& model, int count) {
  GENOSERVE_ASSIGN_OR_RETURN(const auto store, OpenStore(url, /*create=*/true));
  for (int i = 0; i < count; ++i) {
    GENOSERVE_ASSIGN_OR_RETURN(const auto publication, store->Publish(model));
    GENOSERVE_RETURN_IF_ERROR(publication->Put("a.bin", absl::StrCat(publication->version())));
    GENOSERVE_RETURN_IF_ERROR(publication->Commit("{}"));
  }
  return absl::OkStatus();
}

}  // namespace
}  // namespace genoserve

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  const absl::Status status = genoserve::Publish(argv[1], argv[2], std::atoi(argv[3]));
  if (!status.ok()) std::cerr << status << std::endl;
  return status.ok() ? 0 : 1;
}
