// The client library: what models a server has, and cohorts drawn from them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "client/lib/client_options.h"
#include "client/lib/cohort_reader.h"
#include "core/genotype/variant_table.h"
#include "genoserve/v1/cohort.pb.h"
#include "genoserve/v1/operations.pb.h"

namespace genoserve {

struct ClientState;

/// A seed that nobody chose.
uint64_t DrawSeed();

/// One server, or replicas of one. All calls are retried as ClientOptions says; their errors are the server's, with the
/// details of google.rpc in message and payloads, or UNAVAILABLE, DEADLINE_EXCEEDED, and CANCELLED after Cancel.
/// Thread-safe.
class Client {
 public:
  /// Checks the options and reads their files; the first call connects. Errors as OpenChannels'.
  static absl::StatusOr<std::unique_ptr<Client>> Connect(const ClientOptions& options);

  /// How many servers there are, at least 1.
  size_t replicas() const;

  /// All models with all versions, by name, newest version first.
  absl::StatusOr<v1::ListModelsResponse> ListModels();

  /// One version of a model. Where `version` is empty it is the default one, or its canary: the one that a cohort with
  /// this request id gets, or, where it has none, one whose seed in decimal digits is `request_id`.
  absl::StatusOr<v1::Model> GetModel(const std::string& model, const std::string& version,
                                     const std::string& request_id = "");

  /// The variants that a request names, in file order. DATA_LOSS where they make no table.
  absl::StatusOr<VariantTable> ListVariants(const v1::ListVariantsRequest& request);

  /// FAILED_PRECONDITION, with the servers named, where a replica has another artifact or engine than another one, so
  /// that what they send does not join. `model` is what GetModel gave. Replicas that do not answer are passed over:
  /// what they run is checked again whenever one of them sends.
  absl::Status CheckReplicas(const v1::Model& model);

  /// Begins a cohort and reads its header. A seed is drawn here where the request has none, so that retries repeat it.
  /// The stream outlives the client object if need be. INVALID_ARGUMENT where `options.from` is of no such stream.
  absl::StatusOr<std::unique_ptr<CohortReader>> StreamCohort(v1::StreamCohortRequest request,
                                                             StreamOptions options = {});

  /// What became of all versions of a model, or of all models where it is empty.
  absl::StatusOr<v1::ServerStatus> GetStatus(const std::string& model);

  /// For admins, see AdminService: PERMISSION_DENIED for others. INVALID_ARGUMENT where there are replicas: each is
  /// told by itself.
  absl::StatusOr<v1::ReloadConfigResponse> ReloadConfig();
  absl::StatusOr<v1::VersionStatus> RetryVersion(const v1::RetryVersionRequest& request);
  absl::StatusOr<v1::VersionStatus> PinVersion(const v1::PinVersionRequest& request);
  absl::StatusOr<v1::UnloadModelResponse> UnloadModel(const v1::UnloadModelRequest& request);
  absl::StatusOr<v1::SetLabelResponse> SetLabel(const v1::SetLabelRequest& request);

  /// Ends all calls in flight, and all to come, with CANCELLED.
  void Cancel();

 private:
  explicit Client(std::shared_ptr<ClientState> state) : state_(std::move(state)) {}

  std::shared_ptr<ClientState> state_;
};

}  // namespace genoserve
