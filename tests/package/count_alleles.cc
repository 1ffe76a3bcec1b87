// Streams a cohort and prints how many ALT alleles its samples have: count_alleles MODEL SAMPLES SEED, of the server
// that GENOSERVE_SERVER of the environment names.
#include <genoserve/client.h>

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>

// The ALT alleles of one request's samples. `request` says which; memory does not grow with their number.
absl::StatusOr<int64_t> CountAlleles(genoserve::Client* client, const genoserve::v1::StreamCohortRequest& request) {
  absl::StatusOr<std::unique_ptr<genoserve::CohortReader>> stream = client->StreamCohort(request);
  if (!stream.ok()) return stream.status();
  int64_t alleles = 0;
  while (true) {
    absl::StatusOr<const genoserve::CohortBatch*> batch = (*stream)->Next();
    if (!batch.ok()) return batch.status();
    if (*batch == nullptr) return alleles;  // the end: number and digest of the samples were right
    const genoserve::GenotypeMatrix& genotypes = (*batch)->genotypes;
    for (size_t row = 0; row < genotypes.rows(); ++row) {
      for (size_t variant = 0; variant < genotypes.variants(); ++variant) {
        const int code = genotypes.Get(row, variant);
        if (code != genoserve::kMissingGenotype) alleles += code;
      }
    }
  }
}

int main(int argc, char** argv) {
  if (argc != 4) {
    std::cerr << "usage: count_alleles MODEL SAMPLES SEED\n";
    return 2;
  }
  genoserve::ClientOptions options;     // server: GENOSERVE_SERVER
  options.timeout = absl::Seconds(60);  // of the whole stream, retries included
  options.retries = 3;                  // in a row without a sample between them
  auto client = genoserve::Client::Connect(options);
  if (!client.ok()) {
    std::cerr << client.status() << "\n";
    return 1;
  }
  genoserve::v1::StreamCohortRequest request;
  request.set_model(argv[1]);
  request.set_cohort_size(std::atoll(argv[2]));
  request.set_seed(std::strtoull(argv[3], nullptr, 10));
  const absl::StatusOr<int64_t> alleles = CountAlleles(client->get(), request);
  if (!alleles.ok()) {
    std::cerr << alleles.status() << "\n";
    return 1;
  }
  std::cout << *alleles << " ALT alleles in " << argv[2] << " samples\n";
}
