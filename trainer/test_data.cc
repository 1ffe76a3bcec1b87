#include "trainer/test_data.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/file.h"
#include "core/base/philox.h"

namespace genoserve {
namespace {

// Alleles of a haplotype: each variant copies its neighbour with probability 0.8, else is drawn at a frequency that
// depends on variant and population.
std::vector<int> DrawHaplotype(int sample, int haplotype, int population) {
  const PhiloxStream draws(1, static_cast<uint64_t>(sample), haplotype, Purpose::kTraining);
  std::vector<int> alleles;
  for (int v = 0; v < TestData::kVariants; ++v) {
    const auto at = static_cast<uint32_t>(2 * v);
    const double frequency = 0.15 + 0.7 * ((v / 8 + population * 2) % 5) / 4.0;
    const bool copies = v % 8 != 0 && ToUniform(draws.Bits(at)) < 0.8;
    alleles.push_back(copies ? alleles.back() : static_cast<int>(ToUniform(draws.Bits(at + 1)) < frequency));
  }
  return alleles;
}

}  // namespace

TestData::TestData(const std::string& name) : folder_(JoinPath(testing::TempDir(), "trainer-" + name)) {
  std::filesystem::remove_all(folder_);
  std::filesystem::create_directories(folder_);
  std::vector<std::vector<int>> haplotypes;
  std::string panel = "sample\tpop\n";
  std::string phenotypes = "IID\tcolour\tweight\n";
  std::string samples;
  for (int i = 0; i < kSamples; ++i) {
    const int population = i % 2;
    int alleles = 0;
    for (int h = 0; h < 2; ++h) {
      haplotypes.push_back(DrawHaplotype(i, h, population));
      for (int v = 0; v < 8; ++v) alleles += haplotypes.back()[static_cast<size_t>(v)];
    }
    absl::StrAppendFormat(&samples, "\tS%d", i);
    absl::StrAppendFormat(&panel, "S%d\t%s\n", i, population == 0 ? "north" : "south");
    absl::StrAppendFormat(&phenotypes, "S%d\t%s\t%d.5\n", i, population == 0 ? "black" : "white", 20 + alleles);
  }
  vcf_ = absl::StrCat("##fileformat=VCFv4.3\n##contig=<ID=1,length=100000>\n",
                      "##FORMAT=<ID=GT,Number=1,Type=String,Description=\"Genotype\">\n",
                      "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT", samples, "\n");
  for (size_t v = 0; v < static_cast<size_t>(kVariants); ++v) {
    absl::StrAppendFormat(&vcf_, "1\t%d\tv%d\tA\tC\t.\t.\t.\tGT", 100 * (v + 1), v);
    for (size_t i = 0; i < static_cast<size_t>(kSamples); ++i) {
      absl::StrAppendFormat(&vcf_, "\t%d|%d", haplotypes[2 * i][v], haplotypes[2 * i + 1][v]);
    }
    vcf_ += "\n";
  }
  Write("real.vcf", vcf_);
  Write("panel.tsv", panel);
  Write("pheno.tsv", phenotypes);
  Write("mild.gate", "limits { figure: 'af.pearson' minimum: 0.5 }");
}

TestData::~TestData() { std::filesystem::remove_all(folder_); }

std::vector<std::string> TestData::AcganArguments(const std::string& store, int steps, int validations) const {
  return {"train",
          "--arch",
          "acgan",
          "--vcf",
          Path("real.vcf"),
          "--panel",
          Path("panel.tsv"),
          "--label-column",
          "pop",
          "--store",
          Path(store),
          "--create-store",
          "--model",
          "tiny",
          "--device",
          "cpu",
          "--steps",
          absl::StrCat(steps),
          "--validations",
          absl::StrCat(validations),
          "--batch-size",
          "32",
          "--gate",
          Path("mild.gate")};
}

std::string TestData::Path(const std::string& name) const { return JoinPath(folder_, name); }

std::string TestData::Write(const std::string& name, const std::string& text) const {
  EXPECT_TRUE(FileSystem::Posix().WriteFile(Path(name), text).ok());
  return Path(name);
}

std::vector<std::string> TestData::FilesUnder(const std::string& folder) const {
  std::vector<std::string> files;
  std::error_code error;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(Path(folder), error)) {
    if (entry.is_regular_file()) files.push_back(std::filesystem::relative(entry.path(), Path(folder)).string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace genoserve
