// How long the figures of quality take and how much memory, by family, and how that grows.
//
//   quality_bench [SAMPLES VARIANTS]...   default: 1250 2500  2500 5000  5000 5000  5000 10000
//
// Hold-out and synthetic cohort have SAMPLES people each and the training twice as many, so that every comparison is of
// SAMPLES people; mosaics of a few founders, two labels and one continuous phenotype, unphased and phased.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "core/base/cpus.h"
#include "core/quality/measure.h"
#include "core/quality/test_cohorts.h"

namespace genoserve {
namespace {

Cohort People(uint64_t seed, size_t samples, size_t variants, bool phased) {
  Cohort cohort = TestCohort(seed, samples, variants, phased);
  const GenotypeMatrix diploid = cohort.genotypes.ToDiploid();
  TestRandom random(seed + 1000);
  cohort.phenotypes = {{}};
  for (size_t i = 0; i < samples; ++i) {
    double value = static_cast<double>(random.Below(1000)) / 100;
    for (size_t v = 0; v < 20; ++v) value += diploid.Get(i, v);
    cohort.phenotypes[0].push_back(value);
  }
  return cohort;
}

// Measures once and prints a line; runs in a process of its own, so that the peak of memory is its own.
int Measure(size_t samples, size_t variants, bool phased) {
  QualitySets sets;
  sets.variants = EvenVariants(variants);
  sets.labels = {"A", "B"};
  sets.phenotypes = {{"height", {}}};
  sets.whole_training = People(1, 2 * samples, variants, phased);
  sets.whole_holdout = People(2, samples, variants, phased);
  sets.whole_synthetic = People(3, samples, variants, phased);
  std::string line;
  std::string stage;
  absl::Time last = absl::Now();
  const absl::Time begin = last;
  const auto progress = [&](absl::string_view next, int /*done*/, int /*stages*/) {
    const absl::Time now = absl::Now();
    if (!stage.empty()) {
      absl::StrAppend(&line, " ", stage, " ", absl::SixDigits(absl::ToDoubleSeconds(now - last)));
    }
    stage = std::string(next);
    last = now;
    return absl::OkStatus();
  };
  v1::Quality quality;
  if (const absl::Status status = MeasureQuality({}, &sets, progress, &quality); !status.ok()) {
    std::fprintf(stderr, "quality_bench: %s\n", std::string(status.message()).c_str());
    return 1;
  }
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  std::printf("%zu x %zu %s: %.1f s, %ld MB at most;%s\n", samples, variants, phased ? "phased" : "unphased",
              absl::ToDoubleSeconds(absl::Now() - begin), usage.ru_maxrss / 1024, line.c_str());
  std::fflush(stdout);
  return 0;
}

int Main(int argc, char** argv) {
  std::vector<size_t> sizes = {1250, 2500, 2500, 5000, 5000, 5000, 5000, 10000};
  if (argc > 1) sizes.clear();
  for (int i = 1; i < argc; ++i) {
    size_t size = 0;
    if (!absl::SimpleAtoi(argv[i], &size) || argc % 2 == 0) {
      std::fprintf(stderr, "usage: quality_bench [SAMPLES VARIANTS]...\n");
      return 2;
    }
    sizes.push_back(size);
  }
  std::printf("%d threads; samples compared x variants, seconds by family\n", DefaultWorkers());
  std::fflush(stdout);
  for (size_t i = 0; i < 2 * sizes.size(); i += 2) {
    const size_t at = i % sizes.size();
    const pid_t child = ::fork();
    if (child == 0) std::_Exit(Measure(sizes[at], sizes[at + 1], i >= sizes.size()));
    int status = 0;
    ::waitpid(child, &status, 0);
    if (status != 0) return 1;
  }
  return 0;
}

}  // namespace
}  // namespace genoserve

int main(int argc, char** argv) { return genoserve::Main(argc, argv); }
