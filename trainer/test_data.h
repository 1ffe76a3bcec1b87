// Small simulated data for the tests of the trainer.
#pragma once

#include <string>
#include <vector>

namespace genoserve {

/// Phased genotypes of samples of two populations, in which neighbouring variants are in LD, with a panel and
/// phenotypes (weight depends on the genotypes; colour is the population).
class TestData {
 public:
  static constexpr int kSamples = 200;
  static constexpr int kVariants = 40;

  /// Writes real.vcf, panel.tsv, pheno.tsv and mild.gate, which a few steps pass, into a new folder under
  /// testing::TempDir().
  explicit TestData(const std::string& name);
  ~TestData();
  TestData(const TestData&) = delete;
  TestData& operator=(const TestData&) = delete;

  /// The path of a file in the folder.
  std::string Path(const std::string& name) const;
  /// Writes a file there and returns its path.
  std::string Write(const std::string& name, const std::string& text) const;
  /// Arguments of a training of a small acgan on the files, judged by mild.gate, that publishes the model "tiny".
  std::vector<std::string> AcganArguments(const std::string& store, int steps, int validations) const;
  /// The text of real.vcf.
  const std::string& vcf() const { return vcf_; }
  /// Paths of all files under a folder there, relative to it and sorted.
  std::vector<std::string> FilesUnder(const std::string& folder) const;

 private:
  std::string folder_;
  std::string vcf_;
};

}  // namespace genoserve
