// How long the trainer takes to load a data set, and how much memory.
#include <sys/resource.h>

#include <chrono>
#include <iostream>
#include <span>
#include <string>
#include <vector>

#include "absl/strings/str_format.h"
#include "trainer/dataset/batch_decoder.h"
#include "trainer/dataset/dataset.h"

namespace {

using Clock = std::chrono::steady_clock;

double SecondsSince(Clock::time_point began) { return std::chrono::duration<double>(Clock::now() - began).count(); }

// Genotypes a second that a thread decodes for steps that take no time.
double DecodingRate(const genoserve::GenotypeMatrix& genotypes) {
  constexpr int64_t kBatches = 200;
  constexpr size_t kBatchRows = 64;
  const auto rows_of = [&genotypes](int64_t index) {
    std::vector<size_t> rows(kBatchRows);
    for (size_t i = 0; i < kBatchRows; ++i)
      rows[i] = (static_cast<size_t>(index) * 7919 + i * 104729) % genotypes.rows();
    return rows;
  };
  genoserve::BatchDecoder decoder(genotypes, rows_of, 2);
  const Clock::time_point began = Clock::now();
  for (int64_t index = 0; index < kBatches; ++index) decoder.Get(index);
  return static_cast<double>(kBatches * kBatchRows * genotypes.variants()) / SecondsSince(began);
}

double PeakMegabytes() {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

}  // namespace

int main(int argc, char** argv) {
  const std::span<char*> words(argv, static_cast<size_t>(argc));
  if (words.size() < 2 || words.size() > 3) {
    std::cerr << "usage: dataset_bench GENOTYPES [PANEL]\n"
                 "loads them as genoserve-trainer does, with a fifth kept apart; PANEL has the labels in column pop\n";
    return 2;
  }
  genoserve::DatasetOptions options;
  options.genotypes = genoserve::SourceOfPath(words[1]);
  options.diploid = options.genotypes.format == genoserve::GenotypeSource::Format::kBed;
  if (words.size() == 3) {
    options.panel = words[2];
    options.label_column = "pop";
  }
  options.holdout_share = 0.2;
  const Clock::time_point began = Clock::now();
  const absl::StatusOr<genoserve::Dataset> dataset = genoserve::LoadDataset(options);
  if (!dataset.ok()) {
    std::cerr << dataset.status().message() << "\n";
    return 1;
  }
  const double took = SecondsSince(began);
  const double packed =
      static_cast<double>(dataset->training.genotypes.bytes().size() + dataset->holdout.genotypes.bytes().size()) /
      (1 << 20);
  std::cout << absl::StreamFormat("%d + %d samples, %d variants: %.1f s, packed %.0f MB, peak %.0f MB; %s\n",
                                  dataset->training.genotypes.samples(), dataset->holdout.genotypes.samples(),
                                  dataset->variants.size(), took, packed, PeakMegabytes(), dataset->family_note)
            << absl::StreamFormat("batches of 64 rows: %.0f million genotypes decoded a second\n",
                                  DecodingRate(dataset->training.genotypes) / 1e6);
  return 0;
}
