// Writes a panel to try large trainings with: random people whose haplotypes are mosaics of a few founders, so that
// neighbouring variants are linked and labels differ, and a phenotype of 100 causal variants with missing values.
#include <charconv>
#include <cmath>
#include <fstream>
#include <iostream>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/status.h"
#include "core/genotype/genotype_matrix.h"
#include "core/io/cohort_writer.h"

namespace genoserve {
namespace {

constexpr size_t kFounders = 24;
constexpr size_t kFoundersOfLabel = 12;  // each label has some of its own and shares some with the next
constexpr double kMosaicPiece = 100;     // variants, the mean
constexpr int64_t kSpacing = 5000;       // base pairs between variants
constexpr size_t kContigs = 5;
constexpr size_t kCausal = 100;
constexpr size_t kBatch = 256;  // samples
constexpr double kMissingPhenotypes = 0.05;

struct Arguments {
  std::string path;  // .bed, .bcf, .vcf or .vcf.gz
  size_t samples = 0;
  size_t variants = 0;
  size_t labels = 5;
};

class Mosaic {
 public:
  explicit Mosaic(const Arguments& arguments) : variants_(arguments.variants), labels_(arguments.labels) {
    std::uniform_real_distribution<double> frequency(0.05, 0.5);
    founders_.assign(kFounders, std::vector<uint8_t>(variants_));
    for (size_t v = 0; v < variants_; ++v) {
      std::bernoulli_distribution alt(frequency(random_));
      for (std::vector<uint8_t>& founder : founders_) founder[v] = alt(random_) ? 1 : 0;
      founders_[random_() % kFounders][v] = 1;
    }
    std::normal_distribution<double> effect;
    for (size_t i = 0; i < kCausal; ++i) effects_.push_back(effect(random_));
  }

  size_t LabelOf(size_t sample) const { return sample % labels_; }

  void FillHaplotype(size_t label, std::span<uint8_t> alleles) {
    std::geometric_distribution<size_t> piece(1 / kMosaicPiece);
    for (size_t begin = 0; begin < variants_;) {
      const size_t end = std::min(variants_, begin + 1 + piece(random_));
      const size_t founder = (label * kFoundersOfLabel / 3 + random_() % kFoundersOfLabel) % kFounders;
      std::copy(founders_[founder].begin() + static_cast<ptrdiff_t>(begin),
                founders_[founder].begin() + static_cast<ptrdiff_t>(end),
                alleles.begin() + static_cast<ptrdiff_t>(begin));
      begin = end;
    }
  }

  // Half of the variance is that of the causal variants.
  std::string Phenotype(std::span<const uint8_t> first, std::span<const uint8_t> second) {
    double value = 0;
    for (size_t i = 0; i < kCausal; ++i) {
      const size_t v = i * variants_ / kCausal;
      value += effects_[i] * (first[v] + second[v]);
    }
    value += std::normal_distribution<double>(0, 0.6 * std::sqrt(static_cast<double>(kCausal)))(random_);
    return std::bernoulli_distribution(kMissingPhenotypes)(random_) ? "NA" : absl::StrFormat("%.3f", value);
  }

 private:
  std::mt19937_64 random_{1};
  size_t variants_;
  size_t labels_;
  std::vector<std::vector<uint8_t>> founders_;
  std::vector<double> effects_;
};

VariantTable Variants(size_t count) {
  std::vector<VariantRecord> records;
  for (size_t v = 0; v < count; ++v) {
    const size_t contig = v * kContigs / count;
    records.push_back(
        {absl::StrCat(contig + 1), static_cast<int64_t>(v + 1) * kSpacing, absl::StrCat("m", v + 1), "A", "C"});
  }
  return VariantTable::Create(std::move(records), {}).value();
}

absl::Status Write(const Arguments& arguments) {
  GENOSERVE_ASSIGN_OR_RETURN(const CohortFormat format, FormatOfPath(arguments.path));
  const bool bed = format == CohortFormat::kBed;
  const std::string prefix = arguments.path.substr(0, arguments.path.find('.', arguments.path.rfind('/') + 1));
  CohortDescription description;
  description.variants = Variants(arguments.variants);
  description.packing = bed ? Packing::kDiploid2Bit : Packing::kHaplotype1Bit;
  description.cohort_size = description.sample_count = static_cast<int64_t>(arguments.samples);
  GENOSERVE_ASSIGN_OR_RETURN(const std::unique_ptr<CohortWriter> writer,
                             OpenCohortWriter(format, bed ? prefix : arguments.path, description));
  std::ofstream panel(prefix + ".panel.tsv");
  std::ofstream pheno(prefix + ".pheno.tsv");
  panel << "sample\tpop\n";
  pheno << "IID\theight\tsex\n";
  Mosaic mosaic(arguments);
  std::vector<uint8_t> first(arguments.variants);
  std::vector<uint8_t> second(arguments.variants);
  for (size_t begin = 0; begin < arguments.samples; begin += kBatch) {
    const size_t count = std::min(kBatch, arguments.samples - begin);
    GenotypeMatrix rows(description.packing, count * RowsPerSample(description.packing), arguments.variants);
    for (size_t i = 0; i < count; ++i) {
      const std::string name = SyntheticSampleName(static_cast<int64_t>(begin + i), description.cohort_size);
      const size_t label = mosaic.LabelOf(begin + i);
      mosaic.FillHaplotype(label, first);
      mosaic.FillHaplotype(label, second);
      panel << name << "\tpop" << label + 1 << "\n";
      pheno << name << "\t" << mosaic.Phenotype(first, second) << "\t" << (i % 2 == 0 ? "f" : "m") << "\n";
      if (bed) {
        for (size_t v = 0; v < first.size(); ++v) first[v] = static_cast<uint8_t>(first[v] + second[v]);
        rows.PackRow(i, first);
      } else {
        rows.PackRow(2 * i, first);
        rows.PackRow(2 * i + 1, second);
      }
    }
    GENOSERVE_RETURN_IF_ERROR(writer->Append(rows));
  }
  if (!panel.flush() || !pheno.flush()) return absl::UnknownError(absl::StrCat(prefix, ": cannot write the tables"));
  return writer->Close();
}

bool Parse(std::span<char*> words, Arguments* arguments) {
  if (words.size() < 3 || words.size() > 4) return false;
  arguments->path = words[0];
  size_t* const numbers[] = {&arguments->samples, &arguments->variants, &arguments->labels};
  for (size_t i = 1; i < words.size(); ++i) {
    const std::string text = words[i];
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *numbers[i - 1]);
    if (error != std::errc() || end != text.data() + text.size() || *numbers[i - 1] == 0) return false;
  }
  return arguments->variants >= kCausal;
}

}  // namespace
}  // namespace genoserve

int main(int argc, char** argv) {
  genoserve::Arguments arguments;
  if (!genoserve::Parse({argv + 1, argv + argc}, &arguments)) {
    std::cerr
        << "usage: mosaic_panel PREFIX.{bed,bcf,vcf,vcf.gz} SAMPLES VARIANTS [LABELS]\n"
           "writes the genotypes of random people (100 variants or more), PREFIX.panel.tsv and PREFIX.pheno.tsv\n";
    return 2;
  }
  const absl::Status status = genoserve::Write(arguments);
  if (!status.ok()) {
    std::cerr << status.message() << "\n";
    return 1;
  }
  return 0;
}
