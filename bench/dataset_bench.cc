// How long the trainer takes to load a data set, and how much memory.
#include <sys/resource.h>

#include <chrono>
#include <iostream>
#include <span>
#include <string>

#include "absl/strings/str_format.h"
#include "trainer/dataset/dataset.h"

namespace {

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
  const auto began = std::chrono::steady_clock::now();
  const absl::StatusOr<genoserve::Dataset> dataset = genoserve::LoadDataset(options);
  if (!dataset.ok()) {
    std::cerr << dataset.status().message() << "\n";
    return 1;
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  const double packed =
      static_cast<double>(dataset->training.genotypes.bytes().size() + dataset->holdout.genotypes.bytes().size()) /
      (1 << 20);
  std::cout << absl::StreamFormat("%d + %d samples, %d variants: %.1f s, packed %.0f MB, peak %.0f MB; %s\n",
                                  dataset->training.genotypes.samples(), dataset->holdout.genotypes.samples(),
                                  dataset->variants.size(), took.count(), packed, PeakMegabytes(),
                                  dataset->family_note);
  return 0;
}
